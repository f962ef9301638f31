import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { lengthMs, msBySpeaker, overlapsOf, regionsOf, sharedMs } from '@core/speakers/turns.ts';
import { converse, type ConversationPlan, type Utterance } from '../../support/conversations.ts';

/** Ten seconds of a tone for each, with pauses of 400 ms: a speaker's tone is at 200 Hz times his number. */
const UTTERANCES = ['1', '2', '3', '4'].flatMap((speaker): Utterance[] => {
  const samples = Float32Array.from({ length: 160_000 }, (_, i) =>
    (i / 16) % 2400 < 2000 ? 0.3 * Math.sin((2 * Math.PI * 200 * Number(speaker) * i) / 16_000) : 0,
  );
  return [
    { speaker, samples },
    { speaker, samples: samples.subarray(0, 100_000) },
  ];
});

const PLAN: ConversationPlan = { seed: 7, speakers: 3, durationMs: 60_000, overlap: 0.1 };

/** RMS of a stretch of the conversation, which is 16 kHz. */
function level(samples: Float32Array, startMs: number, endMs: number): number {
  const part = samples.subarray(Math.ceil(startMs * 16), Math.floor(endMs * 16));
  return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
}

describe('simulated conversations', () => {
  test('speech is where the reference says, and only there', () => {
    const { samples, turns } = converse(UTTERANCES, PLAN);
    let atMs = 0;
    for (const { startMs, endMs } of regionsOf(turns)) {
      expect(level(samples, startMs, endMs)).toBeGreaterThan(0.02);
      if (startMs > atMs) expect(level(samples, atMs, startMs)).toBeLessThan(0.001);
      atMs = endMs;
    }
    expect(samples.length / 16).toBeGreaterThanOrEqual(PLAN.durationMs);
  });

  test('the seed decides, and nothing else', () => {
    const [one, again] = [converse(UTTERANCES, PLAN), converse(UTTERANCES, PLAN)];
    expect(again.turns).toEqual(one.turns);
    expect(Buffer.from(again.samples.buffer).equals(Buffer.from(one.samples.buffer))).toBe(true);
    expect(converse(UTTERANCES, { ...PLAN, seed: 8 }).turns).not.toEqual(one.turns);
  });

  test('whatever the plan: everybody of it speaks, never three at once, and about as often two as planned', () => {
    const plans = fc.record({
      seed: fc.integer(),
      speakers: fc.integer({ min: 2, max: 4 }),
      durationMs: fc.constant(60_000),
      overlap: fc.double({ min: 0, max: 0.2, noNaN: true }),
    });
    fc.assert(
      fc.property(plans, (plan) => {
        const { turns } = converse(UTTERANCES, plan);
        const overlaps = overlapsOf(turns);
        expect(msBySpeaker(turns).size).toBe(plan.speakers);
        expect(overlaps.every(({ speakers }) => speakers.length === 2)).toBe(true);
        const overlapMs = overlaps.reduce((sum, one) => sum + lengthMs(one), 0);
        const speechMs = regionsOf(turns).reduce((sum, one) => sum + lengthMs(one), 0);
        expect(Math.abs(overlapMs / speechMs - plan.overlap)).toBeLessThan(0.06);
        if (plan.overlap === 0) expect(overlapMs).toBe(0);
        turns.forEach((one, index) => {
          for (const other of turns.slice(index + 1))
            if (other.speaker === one.speaker) expect(sharedMs(one, other)).toBe(0);
        });
      }),
      { numRuns: 10 },
    );
  });

  test('a plan for more people than there are is an error', () => {
    expect(() => converse(UTTERANCES, { ...PLAN, speakers: 5 })).toThrow('too few');
  });
});
