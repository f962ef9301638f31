import { describe, expect, it } from 'vitest';
import type { Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';
import { wrap, type Row } from '@src/ui/captions/drawing.ts';
import { linesOf } from '@src/ui/captions/lines.ts';
import { SESSION, segment } from '../support/segments.ts';

const unit = (from: number, to: number, translation: string): TranslatedUnit => ({
  from,
  to,
  text: '',
  translation,
});

const translated = (of: Segment, ...units: TranslatedUnit[]): SegmentTranslation => ({
  sessionId: SESSION,
  segmentId: of.id,
  target: 'fr',
  units,
  complete: false,
  glossary: '',
});

const HELLO = segment(0, 'Hello there. How are you?');
const BONJOUR = translated(HELLO, unit(0, 2, 'Bonjour.'), unit(2, 5, 'Comment allez-vous ?'));

interface Reading {
  text?: 'both' | 'original' | 'translation';
  target?: 'fr' | null;
  translations?: SegmentTranslation[];
  waitedFor?: boolean;
}

const read = (segments: Segment[], reading: Reading = {}, max?: number) => {
  const { text = 'both', target = 'fr', translations = [], waitedFor = true } = reading;
  const choice = {
    text,
    target,
    translationOf: ({ id }: Segment) => translations.find(({ segmentId }) => segmentId === id) ?? null,
    isWaitedFor: () => waitedFor,
  };
  return linesOf(segments, choice, max).map(({ segment: { startMs }, original, units }) => [
    startMs,
    original,
    units.map(({ translation }) => translation),
  ]);
};

describe('the lines of the captions', () => {
  it('are the last ones, in the order they were said', () => {
    const segments = [0, 1, 2, 3].map((index) => segment(index, 'So.'));
    expect(read(segments, { target: null }, 2)).toEqual([
      [2, true, []],
      [3, true, []],
    ]);
  });

  it('stand as they were said while nothing is translated, whatever was chosen before', () => {
    expect(read([HELLO], { text: 'translation', target: null })).toEqual([[0, true, []]]);
  });

  it('have the translation under the original, or one of the two', () => {
    const translations = [BONJOUR];
    const french = ['Bonjour.', 'Comment allez-vous ?'];
    expect(read([HELLO], { translations })).toEqual([[0, true, french]]);
    expect(read([HELLO], { text: 'original', translations })).toEqual([[0, true, []]]);
    expect(read([HELLO], { text: 'translation', translations })).toEqual([[0, false, french]]);
  });

  it('say nothing in the wrong language while a translation is on its way, and the original where none can come yet', () => {
    expect(read([HELLO], { text: 'translation' })).toEqual([]);
    expect(read([HELLO], { text: 'translation', waitedFor: false })).toEqual([[0, true, []]]);
  });

  it('leave what is said in the language that is read', () => {
    const french = segment(0, 'Bonjour.', { language: 'fr' });
    expect(read([french], { text: 'translation' })).toEqual([[0, true, []]]);
    expect(read([french])).toEqual([[0, true, []]]);
  });

  it('hold a sentence back until the one before it is translated: it would be moved', () => {
    const second = translated(HELLO, unit(2, 5, 'Comment allez-vous ?'));
    expect(read([HELLO], { translations: [second] })).toEqual([[0, true, []]]);
    const first = translated(HELLO, unit(0, 1, 'Bonjour'), unit(2, 5, 'Comment allez-vous ?'));
    expect(read([HELLO], { translations: [first] })).toEqual([[0, true, ['Bonjour']]]);
  });

  it('make room for one that is there only when its translation is', () => {
    const later = segment(5_000, 'Not translated yet.');
    const translations = [BONJOUR];
    expect(read([HELLO, later], { text: 'translation', translations }, 1)).toHaveLength(1);
  });
});

describe('rows of the drawn captions', () => {
  /** Letters of one width. */
  const rowsOf = (text: string, width: number): string[] =>
    wrap([{ text, ink: 'committed' }], width, ({ length }) => length).map(said);
  const said = (row: Row) => row.map(({ text }) => text).join('');

  it('break between words, and punctuation stays with its word', () => {
    expect(rowsOf('ask not what your country, can do', 10)).toEqual([
      'ask not',
      'what your',
      'country,',
      'can do',
    ]);
    expect(rowsOf('Hola. ¿Qué tal?', 8)).toEqual(['Hola.', '¿Qué', 'tal?']);
  });

  it('break Chinese between any two characters, but begin no row with a full stop', () => {
    expect(rowsOf('大家早上好。我们开始吧。', 5)).toEqual(['大家早上', '好。我们开', '始吧。']);
  });

  it('keep a word that is wider than the picture in a row of its own', () => {
    expect(rowsOf('a Rindfleischetikettierung b', 10)).toEqual(['a', 'Rindfleischetikettierung', 'b']);
  });

  it('tell tentative words from committed ones within a row', () => {
    const runs = [
      { text: 'ask not', ink: 'committed' },
      { text: ' what your', ink: 'tentative' },
    ] as const;
    expect(wrap(runs, 14, ({ length }) => length)).toEqual([
      [
        { text: 'ask not', ink: 'committed' },
        { text: ' what', ink: 'tentative' },
      ],
      [{ text: 'your', ink: 'tentative' }],
    ]);
  });
});
