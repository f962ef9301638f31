import { expect, test } from 'vitest';
import { discourageRepetition } from '@workers/engine/models/repetition.ts';
import { decodeTokens } from '@workers/engine/models/token-loop.ts';

const VOCABULARY = 6;
const END = 5;

/** A decoder that is stuck: token 0, 1, 2, 0, 1, 2, … by far, then 3, 4 and the end, all with scores of that sign. */
const stuck = (tokens: number, sign: number): Float32Array =>
  Float32Array.from({ length: VOCABULARY }, (_, id) => {
    const score = id === tokens % 3 ? 50 : 20 - id;
    return sign > 0 ? score : score - 51;
  });

test.each([1, -1])(
  'a stuck decoder says no three tokens in a row twice (scores of sign %i)',
  async (sign) => {
    const said: number[] = [];
    const { tokens } = await decodeTokens(
      stuck(0, sign),
      (token) => Promise.resolve(stuck(said.push(token), sign)),
      {
        endOfText: END,
        maxTokens: 30,
        temperature: 0,
        random: Math.random,
        mask: (row, tokens) => {
          discourageRepetition(row, tokens);
          return row;
        },
      },
    );
    const trigrams = tokens.slice(2).map((token, at) => [tokens[at], tokens[at + 1], token].join());
    expect(tokens.length).toBeGreaterThan(6);
    expect(new Set(trigrams).size).toBe(trigrams.length);
  },
);

test('a token that was said already scores lower than it did, whatever its sign; others keep their score', () => {
  const row = Float32Array.of(6, -6, 3, 0);
  discourageRepetition(row, [0, 1]);
  expect(row[0]).toBeCloseTo(5);
  expect(row[1]).toBeCloseTo(-7.2);
  expect([...row.subarray(2)]).toEqual([3, 0]);
});

test('only the third token of a trigram is barred, and only behind its first two', () => {
  const barred = (...tokens: number[]) => {
    const row = new Float32Array(VOCABULARY).fill(1);
    discourageRepetition(row, tokens);
    return [...row.keys()].filter((id) => row[id] === -Infinity);
  };
  expect(barred(0, 1, 2, 3, 0, 1)).toEqual([2]);
  expect(barred(0, 1, 2, 0, 1, 4, 0, 1)).toEqual([2, 4]);
  expect(barred(0, 1, 2, 3, 1)).toEqual([]);
  expect(barred(0, 0, 0)).toEqual([0]);
  expect(barred(0, 1)).toEqual([]);
});
