import { expect, test } from 'vitest';
import { chooseToken, likeliest, mean, probabilityOf } from '@workers/engine/models/scores.ts';
import { modelError } from '@workers/engine/models/step-runner.ts';
import { decodeTokens } from '@workers/engine/models/token-loop.ts';

const never = () => {
  throw new Error('randomness is only for temperatures above 0');
};
const logits = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
const END = 3;

/** A decoder that says `tokens`, each with probability 0.7. */
const saying = (...tokens: number[]): [Float32Array, () => Promise<Float32Array>] => {
  const rows = tokens.map((token) =>
    Float32Array.from({ length: 4 }, (_, id) => Math.log(id === token ? 0.7 : 0.1)),
  );
  return [rows.shift()!, () => Promise.resolve(rows.shift()!)];
};
const limits = { endOfText: END, temperature: 0, random: never, mask: (row: Float32Array) => row };

test('greedy takes the likeliest token and says how likely it was', () => {
  const { token, logProbability } = chooseToken(logits(0.2, 0.5, 0.3), 0, never);
  expect(token).toBe(1);
  expect(logProbability).toBeCloseTo(Math.log(0.5), 5);
});

test('sampling follows the probabilities at that temperature, and never takes a forbidden token', () => {
  const counts = [0, 0, 0];
  for (let n = 0; n < 1000; n += 1) {
    const row = logits(0.2, 0.8, 0.9);
    row[2] = -Infinity;
    const { token, logProbability } = chooseToken(row, 0.5, () => (n + 0.5) / 1000);
    counts[token]! += 1;
    // Reported at temperature 1, so that a retry can be compared with the first try.
    expect(Math.exp(logProbability)).toBeCloseTo(token === 0 ? 0.2 : 0.8, 5);
  }
  // 0.2² : 0.8² = 1 : 16
  expect(counts).toEqual([59, 941, 0]);
});

test('a probability is one share of all tokens; the likeliest of some candidates is found', () => {
  expect(probabilityOf(logits(0.1, 0.6, 0.3), 2)).toBeCloseTo(0.3, 5);
  const ids = { en: 1, es: 0, fr: 2 };
  expect(likeliest(['es', 'fr'] as const, logits(0.1, 0.6, 0.3), (language) => ids[language])).toBe('fr');
});

test('a text ends at the end of text, whose probability counts', async () => {
  const decoder = saying(0, 1, END, 2);
  const { tokens, logProbabilities, truncated } = await decodeTokens(...decoder, {
    ...limits,
    maxTokens: 10,
  });
  expect(tokens).toEqual([0, 1]);
  expect(mean(logProbabilities)).toBeCloseTo(Math.log(0.7), 5);
  expect(truncated).toBe(false);
});

test('a loop ends at the limit and says so', async () => {
  const decoder = saying(0, 1, 0, 1, 0, 1);
  const { tokens, truncated } = await decodeTokens(...decoder, { ...limits, maxTokens: 4 });
  expect(tokens).toEqual([0, 1, 0, 1]);
  expect(truncated).toBe(true);
});

test('a text of nothing but its end is empty', async () => {
  const decoder = saying(END);
  const decoded = await decodeTokens(...decoder, { ...limits, maxTokens: 4 });
  expect(decoded).toMatchObject({ tokens: [], truncated: false });
  expect(mean(decoded.logProbabilities)).toBeCloseTo(Math.log(0.7), 5);
});

test.each([
  [new RangeError('Array buffer allocation failed'), 'out-of-memory'],
  [new Error("Can't create a session. failed to allocate a buffer of size 30727765."), 'out-of-memory'],
  [new WebAssembly.RuntimeError('Aborted(OOM)'), 'out-of-memory'],
  [new Error('std::bad_alloc'), 'out-of-memory'],
  [new Error('failed to call OrtRun(). ERROR_CODE: 1'), 'model-failed'],
  [4_096_712, 'model-failed'],
])('%s is reported as %s', (thrown, code) => {
  expect(modelError(thrown).code).toBe(code);
});
