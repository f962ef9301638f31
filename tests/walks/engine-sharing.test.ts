import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { take, walks, totals } from '../support/walk.ts';

vi.mock('@workers/engine/model-registry.ts', async () => ({
  ModelRegistry: (await import('../support/instant-recognizer.ts')).InstantModels,
}));
vi.mock('@workers/engine/decoder.ts', async (original) => ({
  ...(await original<typeof import('@workers/engine/decoder.ts')>()),
  Decoder: (await import('../support/instant-recognizer.ts')).CountingDecoder,
}));


/** More of them: `npm run bench walks -- --count=100000`. One again: UNISONO_WALK=<seed>:<path>, as it was printed. */
const count = Number(process.env.UNISONO_WALKS ?? 10_000);
const [seed, path] = (process.env.UNISONO_WALK ?? '').split(':', 2);

test('tabs open, freeze, crash and rob one another: one engine at a time, and no spoken word is lost', async () => {
  const property = fc.asyncProperty(walks, take);
  const found = await fc.check(property, {
    numRuns: count,
    ...(seed ? { seed: Number(seed), path: path ?? '' } : {}),
  });
  console.log(totals);
  if (found.failed) {
    console.error(`Again: UNISONO_WALK=${found.seed}:${found.counterexamplePath}`);
  }
  expect(found.failed, `${String(found.errorInstance)}\n${fc.defaultReportMessage(found)}`).toBe(false);
}, 600_000);
