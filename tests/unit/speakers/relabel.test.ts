import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { relabel } from '@core/speakers/relabel.ts';
import { joinTurns, type SpeakerTurn } from '@core/speakers/turns.ts';
import { said, turn, turns } from '../../support/voices.ts';

const shown = (list: readonly SpeakerTurn[]): string =>
  list.map(({ speaker, startMs, endMs }) => `${speaker}:${startMs}-${endMs}`).join(' ');

describe('names after a new pass', () => {
  test('a speaker keeps the number that most of what he says had before', () => {
    const before = [said(3, 0, 5000), said(1, 5000, 9000), said(3, 9000, 12_000)];
    const clusters = [turn(0, 0, 5200), turn(1, 5200, 9100), turn(0, 9100, 12_000)];
    expect(shown(relabel(clusters, before, [], 4).turns)).toBe('3:0-5200 1:5200-9100 3:9100-12000');
  });

  test('one who was two keeps the number with more speech; two who were one: the second is new', () => {
    const split = [said(1, 0, 5000), said(2, 5000, 7000)];
    expect(shown(relabel([turn(0, 0, 7000)], split, [], 3).turns)).toBe('1:0-7000');
    const { turns: list, nextId } = relabel(
      [turn(0, 0, 2000), turn(1, 2000, 7000)],
      [said(1, 0, 7000)],
      [],
      5,
    );
    expect(shown(list)).toBe('5:0-2000 1:2000-7000');
    expect(nextId).toBe(6);
  });

  test('who shares no more than a moment with somebody is not him', () => {
    const before = [said(1, 0, 10_000)];
    expect(shown(relabel([turn(0, 9500, 20_000)], before, [], 2).turns)).toBe('2:9500-20000');
  });

  test('what a person has corrected stays, and tells who the voice is elsewhere', () => {
    const before = [said(1, 0, 20_000)];
    const locked = [said(2, 2000, 5000)];
    expect(shown(relabel([turn(0, 0, 8000)], before, locked, 3).turns)).toBe('2:0-8000');
    // The new pass hears somebody else in the middle of the span.
    const other = [turn(0, 0, 3000), turn(1, 3000, 20_000)];
    const { turns: list } = relabel(other, before, locked, 3);
    expect(shown(list.filter(({ startMs, endMs }) => startMs < 5000 && endMs > 2000))).toContain('2:');
    expect(
      list.filter(({ speaker }) => speaker !== 2).every((one) => one.endMs <= 2000 || one.startMs >= 5000),
    ).toBe(true);
  });

  test('whatever the new pass finds: corrected spans stay, numbers are never given to two, time is kept', () => {
    const at = (list: readonly SpeakerTurn[], ms: number): number[] =>
      [
        ...new Set(list.filter((one) => one.startMs <= ms && ms < one.endMs).map(({ speaker }) => speaker)),
      ].sort();
    fc.assert(
      fc.property(turns, turns, turns, fc.nat(70_000), (clusters, before, locked, ms) => {
        const result = relabel(clusters, before, locked, 5);
        expect(new Set(result.speakers.values()).size).toBe(result.speakers.size);
        const fixed = at(locked, ms);
        const heard = at(clusters, ms).map((label) => Number(result.speakers.get(label)));
        expect(at(result.turns, ms)).toEqual(fixed.length > 0 ? fixed : heard.sort());
      }),
    );
  });

  test('the same pass again changes nothing', () => {
    fc.assert(
      fc.property(turns, (list) => {
        expect(relabel(list, list, [], 5).turns).toEqual(joinTurns(list));
      }),
    );
  });
});
