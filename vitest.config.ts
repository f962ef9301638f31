import { resolve } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, mergeConfig } from 'vitest/config';
import viteConfig from './vite.config.ts';
import { chromiumPath } from './scripts/chromium.mjs';
import { assetFolders } from './scripts/vite-assets.ts';

const shared = { expect: { requireAssertions: true } };

export default defineConfig((env) =>
  mergeConfig(viteConfig({ ...env, mode: 'test' }), {
    test: {
      projects: [
        {
          extends: true,
          test: {
            ...shared,
            name: 'unit',
            testTimeout: 60_000,
            include: ['tests/unit/**/*.test.ts', 'tests/walks/**/*.test.ts', 'tests/contract/memory.test.ts'],
            environment: 'node',
          },
        },
        {
          extends: true,
          // Recordings beside the project: browser tests that need them fetch them, or skip on a 404.
          plugins: [
            assetFolders([{ url: '/shared', dir: resolve(process.env.UNISONO_SHARED ?? '../shared') }]),
          ],
          test: {
            ...shared,
            name: 'browser',
            include: ['tests/browser/**/*.test.ts', 'tests/contract/**/*.test.ts'],
            globalSetup: ['tests/support/global-setup.ts'],
            testTimeout: 180_000,
            hookTimeout: 180_000,
            fileParallelism: false,
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({
                launchOptions: {
                  executablePath: chromiumPath(),
                  args: [
                    '--no-sandbox',
                    '--enable-unsafe-webgpu',
                    '--use-webgpu-adapter=swiftshader',
                    '--autoplay-policy=no-user-gesture-required',
                    '--use-fake-ui-for-media-stream',
                    '--use-fake-device-for-media-stream',
                  ],
                },
              }),
              instances: [{ browser: 'chromium' }],
            },
          },
        },
      ],
    },
  }),
);
