import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { formatRttm, parseRttm } from '@core/speakers/rttm.ts';
import { turn, turns } from '../../support/voices.ts';

describe('RTTM', () => {
  test('reads the turns of each file and passes over what is no turn', () => {
    const text = [
      ';; a comment',
      'SPKR-INFO one 1 <NA> <NA> <NA> unknown MEE009 <NA> <NA>',
      'SPEAKER one 1 1.440 11.872 <NA> <NA> MEE009 <NA> <NA>',
      '',
      'SPEAKER two 1 0.5   0.25 <NA> <NA> B <NA> <NA>\r',
      'SPEAKER one 1 13.152 3.770 <NA> <NA> MEE012 <NA>',
    ].join('\n');
    expect(Object.fromEntries(parseRttm(text))).toEqual({
      one: [turn('MEE009', 1440, 13_312), turn('MEE012', 13_152, 16_922)],
      two: [turn('B', 500, 750)],
    });
  });

  test.each([
    'SPEAKER one 1 later 11.872 <NA> <NA> A <NA> <NA>',
    'SPEAKER one 1 1 -2 <NA> <NA> A <NA> <NA>',
    'SPEAKER one 1 1.44 11.872 <NA>',
  ])('a line that is cut off or without times is an error: %s', (line) => {
    expect(() => parseRttm(`\n${line}`)).toThrow('line 2');
  });

  test('a name with spaces stays one field', () => {
    expect(formatRttm('the meeting', [turn(' Ana María ', 0, 1500)])).toBe(
      'SPEAKER the_meeting 1 0.000 1.500 <NA> <NA> Ana_María <NA> <NA>\n',
    );
  });

  test('what is written is read again', () => {
    fc.assert(
      fc.property(turns, (list) => {
        const named = list.map(({ startMs, endMs, speaker }) => turn(`S${speaker}`, startMs, endMs));
        expect(parseRttm(formatRttm('meeting', named)).get('meeting') ?? []).toEqual(named);
      }),
    );
  });
});
