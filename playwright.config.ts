import { defineConfig } from '@playwright/test';

/**
 * End-to-end tests: the built app in a real Chromium that hears a file as its microphone
 * (tests/e2e/fixtures.ts). One worker: the models need the whole machine, and a fake microphone plays in
 * real time.
 */
export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/e2e/build.ts',
  outputDir: '.cache/test-results/e2e',
  reporter: [['list'], ['json', { outputFile: '.cache/test-results/e2e.json' }]],
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // Ends what hangs. Sized against the longest recording, ten times slower than measured.
  timeout: 300_000,
  expect: { timeout: 120_000 },
});
