import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { runsBySpeaker, wordSpans, type TimedWords } from '@core/speakers/words.ts';
import type { Word } from '@core/transcript/types.ts';
import { said, turns } from '../../support/voices.ts';

/** Words of 400 ms one after another from `startMs` on. */
function spoken(text: string, startMs = 0): TimedWords {
  const words = text.split(' ').map((word, index): Word => ({
    text: ` ${word}`,
    startMs: startMs + index * 400,
    endMs: startMs + (index + 1) * 400,
  }));
  return { words, startMs, endMs: startMs + words.length * 400 };
}

/** `1: so it is | 2: yes`: who said what. */
const shown = (segment: TimedWords, list: Parameters<typeof runsBySpeaker>[1]): string =>
  runsBySpeaker(segment, list)
    .map(
      ({ from, to, speaker }) =>
        `${speaker ?? '?'}:${segment.words
          .slice(from, to)
          .map(({ text }) => text)
          .join('')}`,
    )
    .join(' | ');

describe('who said which words', () => {
  test('a segment is split where the speaker changes', () => {
    expect(shown(spoken('so it is yes it is'), [said(1, 0, 1250), said(2, 1250, 2400)])).toBe(
      '1: so it is | 2: yes it is',
    );
  });

  test('without word times, the text is shared out by its length', () => {
    const { words, ...span } = spoken('internationalisation is hard no it is not');
    const untimed = words.map((word) => ({ ...word, startMs: null, endMs: null }));
    // 27 of 38 letters before the change.
    expect(shown({ words: untimed, ...span }, [said(1, 0, 1990), said(2, 1990, 2800)])).toBe(
      '1: internationalisation is hard | 2: no it is not',
    );
  });

  test('words without times lie between those that have some', () => {
    const words: Word[] = [
      { text: ' a', startMs: null, endMs: null },
      { text: ' bcd', startMs: null, endMs: null },
      { text: ' e', startMs: 500, endMs: 700 },
      { text: ' f', startMs: null, endMs: null },
    ];
    expect(wordSpans({ words, startMs: 100, endMs: 1000 })).toEqual([
      { startMs: 100, endMs: 200 },
      { startMs: 200, endMs: 500 },
      { startMs: 500, endMs: 700 },
      { startMs: 700, endMs: 1000 },
    ]);
  });

  test('a word between turns belongs to the nearest one, and to nobody where none is near', () => {
    expect(shown(spoken('one two three four'), [said(1, 0, 300), said(2, 1650, 2000)])).toBe(
      '1: one two | 2: three four',
    );
    expect(shown(spoken('one two three four five'), [said(1, 0, 250)])).toBe(
      '1: one two | ?: three four five',
    );
  });

  test('where two speak at once, whoever was speaking goes on', () => {
    const segment = spoken('but I think that we should wait');
    expect(shown(segment, [said(2, 0, 2800), said(1, 800, 1600)])).toBe('2: but I think that we should wait');
    expect(shown(segment, [said(1, 0, 1600), said(2, 800, 2800)])).toBe(
      '1: but I think that | 2: we should wait',
    );
    // From the first word on both: whoever is alone afterwards.
    expect(shown(segment, [said(1, 0, 1200), said(2, 0, 2800)])).toBe('2: but I think that we should wait');
  });

  test('one short word of somebody else in a sentence is an error of the word times, a long one is not', () => {
    const list = [said(1, 0, 800), said(2, 800, 1200), said(1, 1200, 2000)];
    const long = spoken('we could right do it');
    expect(shown(long, list)).toBe('1: we could | 2: right | 1: do it');
    const short = {
      ...long,
      words: long.words.map((word, index) => (index === 2 ? { ...word, startMs: 950, endMs: 1200 } : word)),
    };
    expect(shown(short, list)).toBe('1: we could right do it');
  });

  test('whatever the turns: the runs cover all words in order, and neighbours differ', () => {
    const timed = fc.array(fc.boolean(), { maxLength: 30 });
    fc.assert(
      fc.property(timed, turns, (times, list) => {
        const words = times.map((isTimed, index): Word => ({
          text: ' word',
          startMs: isTimed ? index * 300 : null,
          endMs: isTimed ? index * 300 + 250 : null,
        }));
        const runs = runsBySpeaker({ words, startMs: 0, endMs: times.length * 300 }, list);
        expect(runs.flatMap(({ from, to }) => words.slice(from, to))).toEqual(words);
        runs.slice(1).forEach((run, index) => {
          expect(run.from).toBe(runs[index]!.to);
          expect(run.speaker).not.toBe(runs[index]!.speaker);
        });
        const known = list.map(({ speaker }) => speaker);
        for (const { speaker } of runs) if (speaker !== null) expect(known).toContain(speaker);
      }),
    );
  });
});
