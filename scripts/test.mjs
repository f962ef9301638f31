/**
 * Runs every check and every test, all of them even when one fails, and ends with their sum.
 * `npm test -- lint unit` runs only the steps named.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { results, root, steps } from './test/steps.mjs';

function runStep({ name, command: [program, ...args], report, count }) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    shell: program === 'npm' && process.platform === 'win32',
  });
  const counted = count ? count(report) : { passed: status === 0 ? 1 : 0, failed: 0, skipped: 0 };
  // A run that ends badly without a failed test (a crash, a file that cannot be read) is a failure too.
  if (status !== 0 && counted.failed === 0) counted.failed = 1;
  return { name, ...counted, seconds: Math.round((performance.now() - started) / 1000) };
}

const line = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

const shared = resolve(root, process.env.UNISONO_SHARED ?? '../shared');
if (!existsSync(shared)) console.log(`${shared} is absent: tests on its recordings and models are skipped.`);

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
const outcomes = steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map(runStep);
const sum = outcomes.reduce(
  (total, { passed, failed, skipped }) => ({
    passed: total.passed + passed,
    failed: total.failed + failed,
    skipped: total.skipped + skipped,
  }),
  { passed: 0, failed: 0, skipped: 0 },
);

console.log('');
for (const outcome of outcomes) {
  const mark = outcome.failed > 0 ? '✗' : '✓';
  console.log(`${mark} ${outcome.name.padEnd(14)}${line(outcome).padEnd(38)}${outcome.seconds} s`);
}
console.log(`\n${line(sum)}`);
process.exitCode = sum.failed > 0 || outcomes.length === 0 ? 1 : 0;
