import { expect, test } from 'vitest';
import { alignedFrames, warp } from '@workers/engine/models/alignment.ts';

const FRAMES = 60;

/** One head that looks at `[from, to)` when it reads each row, and a little everywhere else. */
function head(spans: readonly (readonly [from: number, to: number])[]): Float32Array {
  const weights = new Float32Array(spans.length * FRAMES).fill(0.001);
  for (const [row, [from, to]] of spans.entries()) weights.fill(0.1, row * FRAMES + from, row * FRAMES + to);
  return weights;
}

test('each token begins where the heads begin to look for it', () => {
  // Row 0 is the prompt; row 1 was read to predict the first token, and so on.
  const spans = [
    [0, 60],
    [0, 20],
    [20, 30],
    [30, 50],
    [50, 60],
  ] as const;
  expect(alignedFrames([head(spans), head(spans)], 5, FRAMES, 1)).toEqual([0, 20, 30, 50]);
});

test('one noisy head does not move a word', () => {
  const spans = [
    [0, 60],
    [0, 20],
    [20, 40],
    [40, 60],
  ] as const;
  const noisy = head(spans).map((weight, index) => weight + ((index * 7919) % 13) * 0.003);
  const [first, second, third] = alignedFrames([head(spans), noisy, head(spans)], 4, FRAMES, 1);
  expect(first).toBe(0);
  expect(Math.abs(second! - 20)).toBeLessThanOrEqual(2);
  expect(Math.abs(third! - 40)).toBeLessThanOrEqual(2);
});

test('the path never goes back: a later token cannot begin earlier', () => {
  const cost = Float32Array.from([9, 9, 0, 9, 0, 9, 9, 9, 9, 9, 9, 0]);
  const starts = warp(cost, 3, 4);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
});

test('audio of one frame and more tokens than frames still give times', () => {
  expect(warp(new Float32Array(3), 3, 1)).toEqual([0, 0, 0]);
  expect(alignedFrames([new Float32Array(4)], 2, 2, 0).every(Number.isFinite)).toBe(true);
});
