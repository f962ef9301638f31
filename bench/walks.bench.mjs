/**
 * Random walks through simulated browsers (tests/walks), more of them than in the test suite: `--count=100000`. Each run takes
 * other walks; one that breaks a rule ends the bench with what takes it again.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

/** @param {import('./support/types.ts').BenchContext} context */
export function run({ options, log }) {
  const count = Number(options.count ?? 100_000);
  log(`${count} walks; about 100 a second`);
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'unit', 'tests/walks'], {
    cwd: root,
    env: { ...process.env, UNISONO_WALKS: String(count) },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('A walk broke a rule: see above.');
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    peer: 'none',
    rows: [
      { what: 'random walks without a broken rule', unit: 'walks', ours: count },
      { what: 'walks a second', unit: 'walks/s', ours: count / seconds },
    ],
  };
}
