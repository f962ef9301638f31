import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { SpeakerTurn } from '@core/speakers/turns.ts';
import { derPercent, scoreDiarization, speakerCountError, totalDiarization } from '../../support/der.ts';
import { turn, turns } from '../../support/voices.ts';

const REFERENCE = [turn('A', 0, 4000), turn('B', 5000, 10_000)];

describe('diarization error rate', () => {
  test('the same turns under other names are no error', () => {
    const found = [turn(2, 0, 4000), turn(1, 5000, 10_000)];
    const score = scoreDiarization(REFERENCE, found);
    expect(score).toEqual({
      missedMs: 0,
      falseAlarmMs: 0,
      confusedMs: 0,
      totalMs: 9000,
      referenceSpeakers: 2,
      foundSpeakers: 2,
    });
    expect(derPercent(score)).toBe(0);
  });

  test('missed, false and confused speech are counted apart', () => {
    // 1 s of A missed, 0.5 s of silence taken for A, 2 s of B given to A.
    const found = [turn(1, 1000, 4500), turn(1, 5000, 7000), turn(2, 7000, 10_000)];
    const score = scoreDiarization(REFERENCE, found);
    expect(score).toMatchObject({ missedMs: 1000, falseAlarmMs: 500, confusedMs: 2000, totalMs: 9000 });
    expect(derPercent(score)).toBeCloseTo(38.889, 3);
  });

  test('overlapped speech counts once for each who speaks', () => {
    const overlapped = [turn('A', 0, 4000), turn('B', 3000, 6000)];
    expect(scoreDiarization(overlapped, [turn(1, 0, 3000), turn(2, 3000, 6000)])).toMatchObject({
      missedMs: 1000,
      falseAlarmMs: 0,
      confusedMs: 0,
      totalMs: 7000,
    });
    expect(
      scoreDiarization(overlapped, [turn(1, 0, 4000), turn(2, 3000, 6000), turn(3, 0, 1000)]),
    ).toMatchObject({ missedMs: 0, falseAlarmMs: 1000, confusedMs: 0 });
  });

  test('speakers are paired so that the least is wrong in all, not one after another', () => {
    // 1 shares 5 s with A and 4 s with B; 2 shares 4 s with A only.
    const reference = [turn('A', 0, 9000), turn('B', 9000, 13_000)];
    const found = [turn(1, 0, 5000), turn(2, 5000, 9000), turn(1, 9000, 13_000)];
    expect(scoreDiarization(reference, found)).toMatchObject({ confusedMs: 5000 });
  });

  test('with a collar of 250 ms, half a second around each boundary of the reference is not scored', () => {
    const found = [turn(1, 200, 4200), turn(2, 4800, 10_240)];
    expect(scoreDiarization(REFERENCE, found, { collarMs: 250 })).toMatchObject({
      missedMs: 0,
      falseAlarmMs: 0,
      confusedMs: 0,
      totalMs: 3500 + 4500,
    });
    expect(scoreDiarization(REFERENCE, found)).toMatchObject({ missedMs: 200, falseAlarmMs: 640 });
  });

  test('outside the region nothing is scored, but everybody found is counted', () => {
    const found = [turn(1, 0, 4000), turn(2, 5000, 10_000), turn(3, 20_000, 21_000)];
    const score = scoreDiarization(REFERENCE, found, { region: { startMs: 0, endMs: 6000 } });
    expect(score).toMatchObject({ missedMs: 0, falseAlarmMs: 0, totalMs: 5000 });
    expect(speakerCountError(score)).toBe(1);
  });

  test('nothing found is all missed, and recordings add up by time', () => {
    const silent = scoreDiarization(REFERENCE, []);
    expect(derPercent(silent)).toBe(100);
    expect(speakerCountError(silent)).toBe(-2);
    const right = scoreDiarization([turn('C', 0, 27_000)], [turn(1, 0, 27_000)]);
    expect(derPercent(totalDiarization([silent, right]))).toBe(25);
  });

  test('the errors are the differences between what was said, found and right, whoever is who', () => {
    const timeOf = (list: readonly SpeakerTurn[]): number => scoreDiarization(list, []).totalMs;
    fc.assert(
      fc.property(turns, turns, (reference, found) => {
        const score = scoreDiarization(reference, found);
        expect(score.totalMs).toBe(timeOf(reference));
        expect(score.totalMs - score.missedMs + score.falseAlarmMs).toBe(timeOf(found));
        const swapped = scoreDiarization(found, reference);
        expect([swapped.missedMs, swapped.falseAlarmMs, swapped.confusedMs]).toEqual([
          score.falseAlarmMs,
          score.missedMs,
          score.confusedMs,
        ]);
        expect(derPercent(scoreDiarization(reference, reference))).toBe(0);
      }),
    );
  });
});
