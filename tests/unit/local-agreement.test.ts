import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignPrefix } from '@core/transcript/alignment.ts';
import { agree, conclude, NOTHING_HEARD, refuse, type Agreement } from '@core/transcript/local-agreement.ts';
import { textOf, type Language, type Word } from '@core/transcript/types.ts';

const words = (text: string): Word[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word, index) => ({ text: ` ${word}`, startMs: index * 100, endMs: index * 100 + 90 }));

const hear = (hypotheses: readonly string[], language: Language = 'en', complete = false): Agreement =>
  hypotheses.reduce((state, text) => agree(state, { language, words: words(text) }, complete), NOTHING_HEARD);

describe('local agreement', () => {
  test('two hypotheses that agree commit their words, but not the last, which may be cut off', () => {
    const state = hear(['and so my fell', 'And so, my fellow Amer']);
    expect(textOf(state.committed)).toBe('And so, my');
    expect(textOf(state.tentative)).toBe('fellow Amer');
    expect(textOf(hear(['ask not', 'ask not']).committed)).toBe('ask');
  });

  test('a word of which the recognizer is unsure may still be corrected, and so may those behind it', () => {
    const unsure = words('una grabación de LibriBox todas las').map((word) =>
      word.text === ' LibriBox' ? { ...word, probability: 0.3 } : { ...word, probability: 0.9 },
    );
    const heard = { language: 'es', words: unsure } as const;
    const state = agree(agree(NOTHING_HEARD, heard, false), heard, false);
    expect(textOf(state.committed)).toBe('una grabación de');
    expect(textOf(conclude(state, words('una grabación de LibriVox todas las grabaciones')))).toBe(
      'una grabación de LibriVox todas las grabaciones',
    );
  });

  test('a first sentence is not lost when the last reading skips it', () => {
    const at = (text: string, ms: number, probability: number): Word[] =>
      words(text).map((word) => ({
        ...word,
        startMs: word.startMs! + ms,
        endMs: word.endMs! + ms,
        probability,
      }));
    const ended = (probability: number, ms: number) => {
      const heard = { language: 'en', words: at('Good morning everyone.', 0, probability) } as const;
      return textOf(conclude(agree(NOTHING_HEARD, heard, false), at('Thank you all.', ms, 0.9)));
    };
    expect(ended(0.6, 300)).toBe('Good morning everyone. Thank you all.');
    expect(ended(0.6, 100)).toBe('Thank you all.'); // it reads that time otherwise
    expect(ended(0.3, 300)).toBe('Thank you all.'); // noise before the first word
  });

  test('in a pause the last word is whole', () => {
    expect(textOf(hear(['ask not', 'ask not'], 'en', true).committed)).toBe('ask not');
  });

  test('one hypothesis commits nothing, nor does one after a refused one', () => {
    expect(hear(['and so my fellow']).committed).toEqual([]);
    const refused = agree(
      refuse(hear(['and so my fellow'])),
      { language: 'en', words: words('and so my fellow') },
      false,
    );
    expect(refused.committed).toEqual([]);
  });

  test('nothing is committed across a change of language', () => {
    const english = hear(['no me digas eso']);
    const spanish = agree(english, { language: 'es', words: words('no me digas eso') }, false);
    expect(spanish.committed).toEqual([]);
    expect(textOf(agree(spanish, { language: 'es', words: words('no me digas eso') }, false).committed)).toBe(
      'no me digas',
    );
  });

  test('committed words stay when later hypotheses change their mind about them', () => {
    const state = agree(
      hear(['I scream for ice', 'I scream for ice cream']),
      { language: 'en', words: words('Ice cream for ice cream now') },
      false,
    );
    expect(textOf(state.committed).startsWith('I scream for')).toBe(true);
  });

  test('whatever is heard, what was committed is a prefix of what is committed later and in the end', () => {
    const sentence = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', 'B,', 'A'), { maxLength: 8 })
      .map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(fc.tuple(sentence, fc.boolean()), { maxLength: 8 }), sentence, (heard, final) => {
        let state = NOTHING_HEARD;
        for (const [text, complete] of heard) {
          const next = agree(state, { language: 'en', words: words(text) }, complete);
          expect(textOf(next.committed).startsWith(textOf(state.committed))).toBe(true);
          state = next;
        }
        expect(textOf(conclude(state, words(final))).startsWith(textOf(state.committed))).toBe(true);
      }),
    );
  });
});

describe('conclusion', () => {
  const conclusion = (committed: string, final: string): string =>
    textOf(conclude({ committed: words(committed), tentative: [] }, words(final)));

  test('the final text follows the committed words without repeating or losing any', () => {
    expect(conclusion('and so my', 'And so, my fellow Americans')).toBe('and so my fellow Americans');
    expect(conclusion('', 'all of it')).toBe('all of it');
    expect(conclusion('all of it', 'all of it')).toBe('all of it');
  });

  test('words that were committed wrongly are not repeated in their right form', () => {
    expect(conclusion('it was the pest of', 'it was the best of times')).toBe('it was the pest of times');
    expect(conclusion('we will meet', 'well we will meet again')).toBe('we will meet again');
  });

  test('a word heard twice is only taken twice where it was said twice', () => {
    expect(conclusion('no', 'no no no')).toBe('no no no');
    expect(conclusion('no no', 'no no')).toBe('no no');
  });

  test('committed words get the times of their counterparts', () => {
    const untimed = words('my fellow').map((word) => ({ ...word, startMs: null, endMs: null }));
    const [, fellow] = conclude({ committed: untimed, tentative: [] }, words('so my fellow Americans'));
    expect(fellow).toEqual({ text: ' fellow', startMs: 200, endMs: 290 });
  });

  test('when the final hypothesis is the committed words and more, exactly the rest follows', () => {
    const list = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 });
    fc.assert(
      fc.property(list, list, (head, tail) => {
        // Of several equally good prefixes the one as long as the committed words is meant.
        const final = [...head, ...tail].join(' ');
        expect(alignPrefix(words(head.join(' ')), words(final)).prefixLength).toBe(head.length);
      }),
    );
  });
});
