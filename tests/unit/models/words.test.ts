import { expect, test } from 'vitest';
import { timedWords } from '@workers/engine/models/word-times.ts';
import { wordsOfTokens } from '@workers/engine/models/words.ts';

/** A tokenizer whose token n is the n-th of some byte strings. */
const tokenizer = (pieces: (string | number[])[]) => {
  const bytes = pieces.map((piece) =>
    typeof piece === 'string' ? [...new TextEncoder().encode(piece)] : piece,
  );
  return {
    tokens: pieces.map((_, token) => token),
    decode: (tokens: number[]) =>
      new TextDecoder().decode(Uint8Array.from(tokens.flatMap((token) => bytes[token]!))),
  };
};
const words = (pieces: (string | number[])[]) => {
  const { tokens, decode } = tokenizer(pieces);
  return wordsOfTokens(tokens, decode);
};

test('pieces join into words at spaces, punctuation stays with the word it follows', () => {
  const found = words([' And', ' so', ',', ' my', ' fel', 'low', ' well', '-', 'known', '.']);
  expect(found.map(({ text }) => text)).toEqual([' And', ' so,', ' my', ' fellow', ' well-known.']);
  expect(found[3]).toMatchObject({ firstToken: 4, endToken: 6 });
  // The comma has no sound: the word ends before it.
  expect(found[1]).toMatchObject({ firstToken: 1, endToken: 2 });
});

test('a Spanish question mark opens its word', () => {
  expect(words([' ¿', 'Qué', ' tal', '?']).map(({ text }) => text)).toEqual([' ¿Qué', ' tal?']);
});

test('Chinese is split by token, characters cut between tokens are put together', () => {
  const cut = [...new TextEncoder().encode('協')];
  const found = words(['房地', '产', cut.slice(0, 2), cut.slice(2), '。', ' API', 's', '会']);
  expect(found.map(({ text }) => text)).toEqual(['房地', '产', '協。', ' APIs', '会']);
  expect(found[2]).toMatchObject({ firstToken: 2, endToken: 4 });
});

test('a character that the token limit cut off is shown as such, and nothing before it is lost', () => {
  expect(words([' no', [0xe5, 0x8d]]).map(({ text }) => text)).toEqual([' no\uFFFD']);
});

test('joining the words gives the text', () => {
  const pieces = [' "', 'Yes', ',"', ' he', ' said', '...', ' 你', '好', '!', ' (', 'twice', ')'];
  expect(
    words(pieces)
      .map(({ text }) => text)
      .join(''),
  ).toBe(pieces.join(''));
});

test('words begin with their first token and end where the next token begins', () => {
  const timed = timedWords(words([' And', ' so', ',', ' my']), [5, 20, 30, 50, 60], 10_000);
  expect(timed).toEqual([
    { text: ' And', startMs: 100, endMs: 400 },
    { text: ' so,', startMs: 400, endMs: 600 },
    { text: ' my', startMs: 1000, endMs: 1200 },
  ]);
});

test('a pause before a word or behind its punctuation does not belong to the word', () => {
  const found = words([' One', ' two', ' three', ' four', '.', ' Five']);
  const [one, , , four, five] = timedWords(found, [0, 100, 110, 120, 130, 300, 310], 6_200);
  expect(one).toEqual({ text: ' One', startMs: 1600, endMs: 2000 });
  expect(four).toEqual({ text: ' four.', startMs: 2400, endMs: 2600 });
  expect(five).toEqual({ text: ' Five', startMs: 6000, endMs: 6200 });
});

test('a text cut off at the token limit ends with the audio', () => {
  expect(timedWords(words([' so', ' on']), [0, 10], 1_000).at(-1)).toMatchObject({
    startMs: 200,
    endMs: 1000,
  });
});
