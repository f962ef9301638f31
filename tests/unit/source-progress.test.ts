import { expect, test } from 'vitest';
import { sampleIndex } from '@core/protocol/ids.ts';
import { SourceProgress } from '@workers/engine/source-progress.ts';

const at = (seconds: number) => sampleIndex(seconds * 16_000);

test('an utterance that is done before an older one is neither acknowledged before it nor read twice', () => {
  const progress = new SourceProgress(at(0));
  expect([progress.begin(at(1)), progress.begin(at(3))]).toEqual([true, true]);
  expect(progress.settle(at(3), at(4))).toBe(at(1));
  progress.stored(at(3));
  expect(progress.advance()).toBe(at(1));
  expect(progress.begin(at(3))).toBe(false);

  expect(progress.settle(at(1), at(2))).toBe(at(4));
  expect(progress.advance()).toBeNull();
  progress.stored(at(1));
  expect(progress.advance()).toBe(at(4));
  expect(progress.begin(at(3))).toBe(false);
});

test('silence is acknowledged only behind what is stored', () => {
  const progress = new SourceProgress(at(0));
  progress.begin(at(1));
  progress.hear(at(60), false);
  expect(progress.advance()).toBe(at(1));
  progress.settle(at(1), at(2));
  expect(progress.advance()).toBeNull();
  progress.stored(at(1));
  expect(progress.advance()).toBe(at(58));
  progress.hear(at(61), true);
  expect(progress.advance()).toBe(at(61));
});

test('an utterance that was none holds nothing up', () => {
  const progress = new SourceProgress(at(0));
  progress.begin(at(1));
  progress.cancel(at(1));
  progress.hear(at(10), false);
  expect(progress.advance()).toBe(at(8));
});
