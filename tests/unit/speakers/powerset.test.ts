import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { decodePowerset, FRAME_MS, localTurns, LOCAL_SPEAKERS } from '@core/speakers/powerset.ts';

const FRAMES = 589;

/** Log-probabilities in which the class of each frame has 0.9 and the others share the rest. */
function logProbabilities(classes: readonly number[]): Float32Array {
  const values = new Float32Array(classes.length * 7).fill(Math.log(0.1 / 6));
  classes.forEach((index, frame) => (values[frame * 7 + index] = Math.log(0.9)));
  return values;
}

/** Frames [from, to) of a class, silence elsewhere. */
const window = (...runs: readonly (readonly [from: number, to: number, index: number])[]): Float32Array =>
  logProbabilities(
    Array.from(
      { length: FRAMES },
      (_, frame) => runs.find(([from, to]) => frame >= from && frame < to)?.[2] ?? 0,
    ),
  );

const rounded = (turns: ReturnType<typeof localTurns>): (readonly [number, number, number])[] =>
  turns.map(({ startMs, endMs, speaker }) => [speaker, Math.round(startMs), Math.round(endMs)]);

describe('powerset', () => {
  test.each([
    [0, [0, 0, 0]],
    [1, [1, 0, 0]],
    [2, [0, 1, 0]],
    [3, [0, 0, 1]],
    [4, [1, 1, 0]],
    [5, [1, 0, 1]],
    [6, [0, 1, 1]],
  ])('class %i is the speakers %j', (index, speakers) => {
    expect([...decodePowerset(logProbabilities([index])).hard]).toEqual(speakers);
  });

  test('a speaker is as probable as all classes he is in together', () => {
    const { soft } = decodePowerset(Float32Array.from([0.1, 0.2, 0.05, 0.05, 0.3, 0.2, 0.1], Math.log));
    expect([...soft].map((value) => Number(value.toFixed(5)))).toEqual([0.7, 0.45, 0.35]);
  });

  test('a window of the wrong shape is an error of the model, not speech', () => {
    expect(() => decodePowerset(new Float32Array(589 * 7 - 1))).toThrow(
      expect.objectContaining({ code: 'model-failed' }) as Error,
    );
  });

  test('turns begin and end between the frames, on the clock of the recording', () => {
    const { hard } = decodePowerset(window([100, 200, 1], [300, FRAMES, 3]));
    // Frame 100 is centred at (270 · 100 + 495.5) / 16 = 1718.5 ms.
    expect(rounded(localTurns(hard, undefined, 20_000))).toEqual([
      [0, 20_000 + 1710, 20_000 + 3398],
      [2, 20_000 + 5085, 20_000 + 9962],
    ]);
  });

  test('who speaks at the same time has turns that overlap', () => {
    const { hard } = decodePowerset(window([0, 100, 1], [100, 150, 4], [150, 250, 2]));
    expect(rounded(localTurns(hard))).toEqual([
      [0, 23, 2554],
      [1, 1710, 4241],
    ]);
  });

  test('a gap of a breath does not end a turn, a click does not begin one', () => {
    const { hard } = decodePowerset(window([0, 100, 1], [110, 200, 1], [300, 304, 2]));
    expect(rounded(localTurns(hard))).toEqual([[0, 23, 3398]]);
  });

  test('a turn begins at the onset and goes on until the offset', () => {
    const scores = new Float32Array(60 * LOCAL_SPEAKERS);
    [0.4, 0.7, 0.4, 0.2].forEach((score, part) => {
      for (let frame = part * 15; frame < (part + 1) * 15; frame++)
        scores[frame * LOCAL_SPEAKERS + 1] = score;
    });
    const smoothing = { onset: 0.6, offset: 0.3, minOnMs: 0, minOffMs: 0 };
    expect(rounded(localTurns(scores, smoothing))).toEqual([[1, 276, 782]]);
  });

  test('unsmoothed turns are exactly as long as the frames that are active', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 80 }), (classes) => {
        const { hard, soft } = decodePowerset(logProbabilities(classes));
        const smoothing = { onset: 0.5, offset: 0.5, minOnMs: 0, minOffMs: 0 };
        const turns = localTurns(hard, smoothing);
        expect(localTurns(soft, smoothing)).toEqual(turns);
        const active = hard.reduce((sum, value) => sum + value, 0);
        const ms = turns.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
        expect(ms).toBeCloseTo(active * FRAME_MS, 3);
      }),
    );
  });
});
