import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { take, walks } from '../support/walk.ts';

vi.mock('@workers/engine/model-registry.ts', async () => ({
  ModelRegistry: (await import('../support/instant-recognizer.ts')).InstantModels,
}));
vi.mock('@workers/engine/decoder.ts', async (original) => ({
  ...(await original<typeof import('@workers/engine/decoder.ts')>()),
  Decoder: (await import('../support/instant-recognizer.ts')).CountingDecoder,
}));

/** More of them: `npm run bench walks -- --count=100000`. */
const count = Number(process.env.UNISONO_WALKS ?? 10_000);
/** One of them again, with all that is said in it: the `seed:path` that was printed when it failed. */
const [seed, path] = (process.env.UNISONO_WALK ?? '').split(/:(.*)/s, 2);

test(
  'tabs open, freeze, crash and rob one another: one engine at a time, and no spoken word is lost',
  { timeout: 0 },
  async () => {
    const again = seed ? { seed: Number(seed), path: path ?? '', endOnFailure: true } : { numRuns: count };
    const property = fc.asyncProperty(walks, (walk) => take(walk, seed ? console.log : undefined));
    const found = await fc.check(property, again);
    const failure = found.errorInstance instanceof Error ? found.errorInstance.message : '';
    expect(
      failure,
      `UNISONO_WALK=${found.seed}:${found.counterexamplePath}\n${JSON.stringify(found.counterexample)}`,
    ).toBe('');
  },
);
