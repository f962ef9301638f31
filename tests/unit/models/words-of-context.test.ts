import { describe, expect, test } from 'vitest';
import type { Word } from '@core/transcript/types.ts';
import { wordsOfContext } from '@workers/engine/models/recognizer.ts';

/** Words half a second apart from 0 on; `null` for words without times. */
const words = (text: string, everyMs: number | null = 500): Word[] =>
  text.split(' ').map((word, index) => ({
    text: ` ${word}`,
    startMs: everyMs === null ? null : index * everyMs,
    endMs: everyMs === null ? null : index * everyMs + 400,
  }));
const context = (text: string) => ({ audio: new Float32Array(), words: words(text, null) });

describe('of what is read from context and utterance together', () => {
  test('the words known already are left out, however they are spelled this time', () => {
    expect(
      wordsOfContext(
        words('And so, my fellow Americans ask not'),
        2500,
        context('and so my fellow americans'),
      ),
    ).toBe(5);
  });

  test('a new word is kept although the last word before it is missing this time', () => {
    expect(
      wordsOfContext(words('and so my fellow it was'), 2000, context('and so my fellow americans')),
    ).toBe(4);
  });

  test('words of a context that was read differently are told by their times', () => {
    expect(
      wordsOfContext(words('Ann saw me fall ask not'), 2000, context('and so my fellow americans')),
    ).toBe(4);
  });

  test('without times and without the known words nobody can tell: the utterance is read on its own', () => {
    expect(
      wordsOfContext(words('Ann saw me fall ask not', null), 2000, context('and so my fellow americans')),
    ).toBeNull();
  });

  test('without a context everything is new', () => {
    expect(wordsOfContext(words('ask not'), 0, null)).toBe(0);
  });
});
