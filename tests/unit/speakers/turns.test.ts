import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  aloneIn,
  joinTurns,
  lengthMs,
  msBySpeaker,
  overlapsOf,
  regionsOf,
  smoothTurns,
} from '@core/speakers/turns.ts';
import { said, turns } from '../../support/voices.ts';

const atMs = (list: readonly { startMs: number; endMs: number; speaker: unknown }[], ms: number): unknown[] =>
  [...new Set(list.filter((one) => one.startMs <= ms && ms < one.endMs).map((one) => one.speaker))].sort();

describe('turns', () => {
  test('a pause within a turn is closed before short turns are dropped', () => {
    const broken = [said(1, 0, 80), said(1, 100, 180), said(2, 500, 580)];
    expect(smoothTurns(broken, { minOnMs: 150, minOffMs: 50 })).toEqual([said(1, 0, 180)]);
  });

  test('where two speak at once is known, and where each speaks alone', () => {
    const list = [said(1, 0, 1000), said(2, 800, 2000), said(1, 1500, 1700)];
    expect(overlapsOf(list).map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [800, 1000],
      [1500, 1700],
    ]);
    expect(aloneIn(list)).toEqual([said(1, 0, 800), said(2, 1000, 1500), said(2, 1700, 2000)]);
  });

  test('joined, cut into regions or smoothed by nothing, at every moment the same people speak', () => {
    fc.assert(
      fc.property(turns, fc.nat(70_000), (list, ms) => {
        const speaking = atMs(list, ms);
        expect(atMs(joinTurns(list), ms)).toEqual(speaking);
        expect(atMs(smoothTurns(list, { minOnMs: 0, minOffMs: 0 }), ms)).toEqual(speaking);
        const region = regionsOf(list).find(({ startMs, endMs }) => startMs <= ms && ms < endMs);
        expect([...(region?.speakers ?? [])].sort()).toEqual(speaking);
        const total = regionsOf(list).reduce((sum, one) => sum + lengthMs(one) * one.speakers.length, 0);
        expect([...msBySpeaker(list).values()].reduce((sum, one) => sum + one, 0)).toBe(total);
      }),
    );
  });
});
