import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOf, type Language, type Word } from '@core/transcript/types.ts';
import type { Unit } from '@core/translation/types.ts';
import { unitsOf } from '@core/translation/units.ts';

/** Words as a recognizer gives them: with the space before, Chinese by character. */
const words = (text: string, language: Language = 'en'): Word[] =>
  (language === 'zh'
    ? (text.match(/\s?(?:\p{Script=Han}|[A-Za-z0-9.%]+)[，。！？、；：…]*|\s?[^\p{Script=Han}]/gu) ?? [])
    : text
        .split(' ')
        .filter(Boolean)
        .map((word) => ` ${word}`)
  ).map((word) => ({ text: word, startMs: null, endMs: null }));

const timed = (
  text: string,
  wordMs: number,
  pauses: Readonly<Record<number, number>> = {},
  language: Language = 'en',
): Word[] => {
  let at = 0;
  return words(text, language).map((word, index) => {
    at += pauses[index] ?? 0;
    const startMs = at;
    at += wordMs;
    return { ...word, startMs, endMs: at };
  });
};

const cut = (text: string, language: Language = 'en', complete = true): string[] =>
  unitsOf(words(text, language), language, [], complete).map((unit) => unit.text);

describe('sentences', () => {
  test.each<[Language, string[]]>([
    [
      'en',
      [
        'I met Dr. Smith at 3.5 p.m. with Mr. Jones.',
        'He agreed, e.g. on No. 5.',
        'Did you?',
        'No.',
        'Good.',
      ],
    ],
    ['en', ['J. Smith said "Stop it."', 'Then she left.']],
    ['en', ['In the U.S. Congress nothing moved.', 'I met J.K. Rowling and J. R. R. Tolkien there.']],
    ['es', ['En EE. UU. García lo vio.', 'El EE.UU. Congreso votó.', 'La O.N.U. Mujeres vino.']],
    ['fr', ['L’O.N.U. France a dit oui.', 'J.-P. Dupont vient.']],
    ['en', ['1. First we look at the budget.', '2. Then we vote.']],
    ['en', ['Well... I think so.', 'We waited for a long time…', 'Then it came.']],
    [
      'es',
      ['¿Qué tal?', 'El Sr. García y la Dra. Ruiz llegan a las 14:30.', '¡Perfecto!', 'Cuesta 3,5 euros.'],
    ],
    ['fr', ['M. Dupont est là, p. ex. pour le nº 5.', 'C’est vrai ?', 'Oui !', 'Mme Roy a 1 000 euros.']],
    ['zh', ['大家好。', '今天我们讨论预算！', '增长了3.5%，是吗？', '嗯……我觉得可以。']],
  ])('%s: each is a unit, abbreviations and decimal points do not end one', (language, sentences) => {
    expect(cut(sentences.join(language === 'zh' ? '' : ' '), language)).toEqual(sentences);
  });

  test('while the segment is running a sentence waits for a further word', () => {
    expect(cut('We agreed on that.', 'en', false)).toEqual([]);
    expect(cut('We agreed on that. The', 'en', false)).toEqual(['We agreed on that.']);
    expect(cut('We agreed on that. —', 'en', false)).toEqual([]);
    expect(cut('大家好。今天', 'zh', false)).toEqual(['大家好。']);
  });

  test('marks that stand alone go with the words beside them', () => {
    expect(cut('— Yes. ¿ No?')).toEqual(['— Yes.', '¿ No?']);
    expect(cut('It is done. ...')).toEqual(['It is done. ...']);
    expect(cut('... ! ...')).toEqual(['... ! ...']);
    expect(cut('')).toEqual([]);
  });
});

describe('long sentences', () => {
  const FIRST =
    'We have looked at all the figures of the last quarter and of the one before it in every country,';
  const SECOND = 'and the result of all of that is that we need more time';
  /** Of one unfinished sentence that is spoken slowly. */
  const cutSlow = (text: string, language: Language): string[] =>
    unitsOf(timed(text, 1000, {}, language), language, [], false).map((unit) => unit.text);

  test('without word times a clause is cut off after thirty words, behind the last place where one ends', () => {
    expect(cut(`${FIRST} and the result of all of`, 'en', false)).toEqual([]);
    expect(cut(`${FIRST} ${SECOND} because the other`, 'en', false)).toEqual([FIRST]);
    expect(cut(`${FIRST} ${SECOND} because the other team is late`, 'en', false)).toEqual([
      `${FIRST} ${SECOND}`,
    ]);
  });

  test('with word times a clause is cut off after twelve seconds, however few its words', () => {
    const text = 'We looked at the figures, and the result is good';
    expect(unitsOf(timed(text, 1000), 'en', [], false)).toEqual([]);
    expect(unitsOf(timed(text, 1400), 'en', [], false).map((unit) => unit.text)).toEqual([
      'We looked at the figures,',
    ]);
  });

  test('a pause is a place to cut, but not behind an article', () => {
    const text = 'we looked at all figures from last year we found nothing that was';
    const at = (pauses: Readonly<Record<number, number>>) =>
      unitsOf(timed(text, 900, pauses), 'en', [], false).map((unit) => unit.text);
    expect(at({ 8: 900 })).toEqual(['we looked at all figures from last year']);
    expect(at({ 6: 900 })).toEqual([]);
  });

  test.each<[Language, string, string]>([
    [
      'es',
      'Hemos revisado todas las cifras del último trimestre y estamos muy contentos pero todavía nos falta mucho trabajo',
      'Hemos revisado todas las cifras del último trimestre y estamos muy contentos',
    ],
    [
      'fr',
      "Nous avons regardé tous les chiffres du dernier trimestre et nous sommes contents parce qu'il y a du progrès",
      'Nous avons regardé tous les chiffres du dernier trimestre et nous sommes contents',
    ],
    [
      'zh',
      '我们看了上个季度所有部门的数字大家都觉得结果还可以但是我们需要更多的时间来准备',
      '我们看了上个季度所有部门的数字大家都觉得结果还可以',
    ],
    [
      'zh',
      '我们看了上个季度所有部门的数字 大家都觉得结果还可以就这样 我们需要更多',
      '我们看了上个季度所有部门的数字 大家都觉得结果还可以就这样',
    ],
  ])('%s: clauses end before a conjunction, in Chinese also at a space', (language, text, clause) => {
    expect(cutSlow(text, language)).toEqual([clause]);
  });

  test('a semicolon parts more than a comma', () => {
    expect(
      cutSlow(
        'La junta ha tomado una decisión clara; ahora, con los datos del mes, vamos a ver si era',
        'es',
      ),
    ).toEqual(['La junta ha tomado una decisión clara;']);
  });

  test('speech without any mark is cut after forty words all the same', () => {
    const plain = Array.from({ length: 39 }, (_, index) => `word${index}`);
    expect(cut(plain.join(' '), 'en', false)).toEqual([]);
    const cutOff = cut([...plain, 'of', 'tall', 'trees'].join(' '), 'en', false);
    expect(cutOff).toHaveLength(1);
    expect(cutOff[0]!.split(' ').length).toBeLessThanOrEqual(38);
  });

  test('a finished sentence of forty words stays whole, a longer one is cut', () => {
    const sentence = (count: number) => `${Array.from({ length: count }, (_, at) => `w${at}`).join(' ')}.`;
    expect(cut(sentence(40))).toHaveLength(1);
    expect(cut(sentence(70)).length).toBeGreaterThan(1);
  });
});

describe('whatever is said', () => {
  const vocabulary: Readonly<Record<Language, readonly string[]>> = {
    en: [
      'we',
      'Dr.',
      'the',
      'and',
      'because',
      'figures,',
      'done.',
      'Yes?',
      '3.5',
      '—',
      '...',
      '1.',
      'No.',
      'I',
      'so…',
    ],
    es: [
      '¿qué',
      'Sr.',
      'y',
      'pero',
      'que',
      'casa,',
      'bien.',
      '¡Sí!',
      '1.000',
      '—',
      'EE.',
      'No.',
      'así',
      'que…',
    ],
    fr: ['nous', 'M.', 'et', 'mais', "qu'il", 'maison,', 'bien.', 'Oui', '!', '«', '»', '1', '000', 'c’est…'],
    zh: [
      '我们',
      '的',
      '但是',
      '所以',
      '好，',
      '了。',
      '吗？',
      '3.5',
      '万',
      '。',
      '……',
      ' 你',
      '大家好',
      'API',
    ],
  };
  const spoken = fc.constantFrom<Language>('en', 'es', 'fr', 'zh').chain((language) =>
    fc.record({
      language: fc.constant(language),
      words: fc
        .array(
          fc.record({
            text: fc.constantFrom(...vocabulary[language]),
            gap: fc.integer({ min: 0, max: 800 }),
            ms: fc.integer({ min: 50, max: 700 }),
          }),
          { maxLength: 120 },
        )
        .chain((list) =>
          fc.boolean().map((clocked) => {
            let at = 0;
            return list.map(({ text, gap, ms }): Word => {
              const startMs = (at += gap);
              at += ms;
              const times = clocked ? { startMs, endMs: at } : { startMs: null, endMs: null };
              return { text: language === 'zh' ? text : ` ${text}`, ...times };
            });
          }),
        ),
      cuts: fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 8 }),
    }),
  );
  const speaks = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

  test('units follow each other without gap or overlap, tell their words, and in the end all of them', () => {
    fc.assert(
      fc.property(spoken, ({ words, language }) => {
        for (const complete of [false, true]) {
          const units = unitsOf(words, language, [], complete);
          let at = 0;
          for (const unit of units) {
            expect(unit.from).toBe(at);
            expect(unit.to).toBeGreaterThan(at);
            expect(unit.text).toBe(textOf(words.slice(unit.from, unit.to)));
            at = unit.to;
          }
          expect(at).toBeLessThanOrEqual(words.length);
          if (!complete) continue;
          expect(at).toBe(words.length);
          const parts = units.map((unit) =>
            words
              .slice(unit.from, unit.to)
              .map((word) => word.text)
              .join(''),
          );
          expect(parts.join('')).toBe(words.map((word) => word.text).join(''));
        }
      }),
    );
  });

  test('what was given once never changes while words are added', () => {
    fc.assert(
      fc.property(spoken, ({ words, language, cuts }) => {
        let known: readonly Unit[] = [];
        for (const length of [
          ...cuts.map((at) => Math.min(at, words.length)).sort((a, b) => a - b),
          words.length,
        ]) {
          const grown = unitsOf(words.slice(0, length), language, known, false);
          expect(grown.slice(0, known.length)).toEqual(known);
          known = grown;
        }
        const all = unitsOf(words, language, known, true);
        expect(all.slice(0, known.length)).toEqual(known);
        expect(all.at(-1)?.to ?? 0).toBe(words.length);
        if (speaks(textOf(words))) expect(all.filter((unit) => !speaks(unit.text))).toEqual([]);
        expect(unitsOf(words, language, all, true)).toEqual(all);
      }),
    );
  });
});

test('a unit whose words were corrected is cut anew, with all behind it', () => {
  const known = unitsOf(words('First one. Second one. Third one.'), 'en', [], true);
  const corrected = words('First one. Another one. Third one.');
  const units = unitsOf(corrected, 'en', known, true);
  expect(units.map((unit) => unit.text)).toEqual(['First one.', 'Another one.', 'Third one.']);
  expect(units[0]).toBe(known[0]);
});
