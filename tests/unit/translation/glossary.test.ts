import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LANGUAGES, type Language } from '@core/transcript/types.ts';
import { formatGlossary, parseGlossary } from '@core/translation/glossary-csv.ts';
import { applicable, enforce, glossaryKey, glossarySpans, isKept } from '@core/translation/glossary.ts';
import { protect, restore } from '@core/translation/placeholders.ts';
import type { GlossaryEntry } from '@core/translation/types.ts';

const entry = (
  term: string,
  translation: string,
  from: Language = 'en',
  to: Language = 'es',
): GlossaryEntry => ({
  from,
  to,
  term,
  translation,
});
const terms = (entries: readonly GlossaryEntry[]): string[] => entries.map(({ term }) => term);

describe('where a fixed term applies', () => {
  test.each<[string, string, Language, boolean]>([
    ['sprint', 'The Sprint ends today.', 'en', true],
    ['sprint', "The sprint's end.", 'en', true],
    ['sprint', 'We are sprinting.', 'en', false],
    ['été', 'Il a été là.', 'fr', true],
    ['été', 'la société', 'fr', false],
    ["l'équipe", 'Toute l’Équipe est là.', 'fr', true],
    ['road map', 'Our road  map is long.', 'en', true],
    ['C++', 'We write C++.', 'en', true],
    ['C', 'We write C++.', 'en', true],
    ['.NET', 'ASP.NET', 'en', false],
    ['预算', '今天讨论预算问题。', 'zh', true],
    ['API', '我们的API很快。', 'zh', true],
    ['API', '我们的APIs很快。', 'zh', false],
  ])('"%s" in "%s" (%s): %s', (term, text, from, applies) => {
    const to = from === 'en' ? 'fr' : 'en';
    expect(terms(applicable([entry(term, 'x', from, to)], text, from, to))).toEqual(applies ? [term] : []);
  });

  test('only in its own direction', () => {
    const entries = [entry('sprint', 'esprint', 'en', 'es'), entry('sprint', 'sprint', 'en', 'fr')];
    expect(applicable(entries, 'the sprint', 'en', 'fr')).toEqual([entries[1]]);
    expect(applicable(entries, 'the sprint', 'fr', 'en')).toEqual([]);
  });

  test('the longest term counts, and of two for one term the later', () => {
    const entries = [
      entry('new york', 'Nueva York'),
      entry('New York Times', 'NYT'),
      entry('New York times', 'Times'),
    ];
    expect(applicable(entries, 'I read the New York Times.', 'en', 'es')).toEqual([entries[2]]);
    const both = applicable(entries, 'The New York Times is in New York.', 'en', 'es');
    expect(terms(both).sort()).toEqual(['New York times', 'new york']);
  });

  test('of a large glossary only the terms that are said cost time', () => {
    const examined: string[] = [];
    const entries = Array.from({ length: 200 }, (_, index) => ({
      ...entry(`term ${index}`, ''),
      get translation() {
        examined.push(this.term);
        return 'término';
      },
    }));
    expect(terms(applicable(entries, 'This is about term 17.', 'en', 'es'))).toEqual(['term 17']);
    expect(new Set(examined)).toEqual(new Set(['term 1', 'term 17']));
  });

  test('it goes through the translation behind a placeholder', () => {
    const text = 'The sprint review is in the sprint.';
    const entries = applicable(
      [entry('sprint', 'esprint'), entry('sprint review', 'revisión')],
      text,
      'en',
      'es',
    );
    const shielded = protect(text, glossarySpans(entries, text));
    expect(shielded.text).toBe('The X1Z is in the X2Z.');
    expect(restore('La X1Z es en el X2Z.', shielded)).toBe('La revisión es en el esprint.');
  });
});

describe('the key of what was fixed', () => {
  const entries = [entry('sprint', 'esprint'), entry('board', 'tablero')];

  test('is none without entries and the same in every order', () => {
    expect(glossaryKey([])).toBe('');
    expect(glossaryKey(entries)).toMatch(/^[a-z0-9]{1,13}$/);
    expect(glossaryKey([...entries].reverse())).toBe(glossaryKey(entries));
  });

  test('changes with what the user writes', () => {
    const keys = [
      entries,
      entries.slice(1),
      [entry('sprint', 'Esprint'), entries[1]!],
      [entry('sprintesprint', '')],
    ];
    expect(new Set(keys.map(glossaryKey)).size).toBe(4);
  });
});

describe('whether the translation kept it', () => {
  test('every fixed translation must be there', () => {
    const entries = [entry('sprint', 'esprint'), entry('board', 'tablero')];
    expect(isKept('El Esprint está en el tablero.', entries)).toBe(true);
    expect(isKept('El esprint está en la junta.', entries)).toBe(false);
    expect(isKept('下个冲刺开始了。', [entry('sprint', '冲刺', 'en', 'zh')])).toBe(true);
    expect(isKept('whatever', [])).toBe(true);
  });

  test.each([
    ['El sprint está en el Board.', 'El esprint está en el tablero.'],
    ['El esprint está en el tablero.', 'El esprint está en el tablero.'],
    ['Los sprints.', 'Los sprints.'],
    ['Usamos Vite y Vite Plus.', 'Usamos Vite Plus y Vite Plus.'],
  ])('a term that was copied becomes its translation: %s', (translation, enforced) => {
    const entries = [entry('sprint', 'esprint'), entry('board', 'tablero'), entry('Vite', 'Vite Plus')];
    expect(enforce(translation, entries)).toBe(enforced);
  });
});

describe('a glossary in CSV', () => {
  test('may come from a spreadsheet: byte order mark, semicolons, quotes, empty columns and lines', () => {
    const csv =
      '\uFEFFFrom;To;Term;Translation;\r\nEN;es;"a ""big"" one; really";uno grande;\r\n\r\n;;;;\r\nen;fr; sprint ;sprint\r\n';
    expect(parseGlossary(csv)).toEqual({
      entries: [entry('a "big" one; really', 'uno grande'), entry('sprint', 'sprint', 'en', 'fr')],
      problems: [],
    });
  });

  test('may have no header', () => {
    expect(parseGlossary('en,es,board,tablero').entries).toEqual([entry('board', 'tablero')]);
    expect(parseGlossary('')).toEqual({ entries: [], problems: [] });
  });

  test('rows that cannot be read are named by their line, the others are kept', () => {
    const csv = [
      'from,to,term,translation',
      'en,es,"two\nlines",dos',
      'en,es,board',
      'en,de,board,Brett',
      'en,en,board,board',
      'en,es,,tablero',
      'en,es,"open,tablero',
      'en,es,board,tablero,extra',
      'en,es,last,último',
    ].join('\n');
    const { entries, problems } = parseGlossary(csv);
    expect(terms(entries)).toEqual(['two\nlines', 'last']);
    expect(problems).toEqual([
      { line: 4, problem: 'columns' },
      { line: 5, problem: 'language' },
      { line: 6, problem: 'sameLanguage' },
      { line: 7, problem: 'empty' },
      { line: 8, problem: 'quotes' },
      { line: 9, problem: 'columns' },
    ]);
  });

  test('what is written is read back', () => {
    const text = fc
      .string({
        unit: fc.constantFrom('a', 'é', '中', ' ', ',', ';', '"', '\n', '\r', "'", '\uFEFF'),
        maxLength: 12,
      })
      .map((value) => value.trim())
      .filter((value) => value !== '');
    const anyEntry = fc.record({
      from: fc.constantFrom(...LANGUAGES),
      to: fc.constantFrom(...LANGUAGES),
      term: text,
      translation: text,
    });
    fc.assert(
      fc.property(fc.array(anyEntry.filter(({ from, to }) => from !== to)), (entries) => {
        expect(parseGlossary(formatGlossary(entries))).toEqual({ entries, problems: [] });
      }),
    );
  });
});
