import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countPlaywright, countVitest } from './counts.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the runs of tests leave their reports. */
export const results = join(root, '.cache/test-results');
const bin = (path) => join(root, 'node_modules', path);

const npmRun = (script) => {
  const npm = process.env.npm_execpath;
  const args = ['run', '--silent', script];
  return npm?.endsWith('js') ? [process.execPath, npm, ...args] : ['npm', ...args];
};

const vitest = (project) => ({
  name: project,
  command: [
    ...[process.execPath, bin('vitest/vitest.mjs'), 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${join(results, `${project}.json`)}`],
  ],
  report: join(results, `${project}.json`),
  count: countVitest,
});

/** What `npm test` runs, in this order. A step without a report counts as one test. */
export const steps = [
  // First: it also generates the message functions that the type check reads.
  ...['build', 'typecheck', 'lint', 'format:check', 'deps', 'unused'].map((name) => ({
    name,
    command: npmRun(name),
  })),
  vitest('unit'),
  vitest('browser'),
  // playwright.config.ts says where its report goes.
  {
    name: 'e2e',
    command: [process.execPath, bin('@playwright/test/cli.js'), 'test'],
    report: join(results, 'e2e.json'),
    count: countPlaywright,
  },
];
