import fc from 'fast-check';
import { speakerId } from '@core/protocol/ids.ts';
import { unit, type Voice } from '@core/speakers/embedding.ts';
import type { SpeakerTurn } from '@core/speakers/turns.ts';

export const turn = <Speaker>(speaker: Speaker, startMs: number, endMs: number): SpeakerTurn<Speaker> => ({
  startMs,
  endMs,
  speaker,
});

/** A turn of speaker `id`. */
export const said = (id: number, startMs: number, endMs: number): SpeakerTurn =>
  turn(speakerId(id), startMs, endMs);

/** Turns of up to four speakers within a minute, overlapping as they like. */
export const turns: fc.Arbitrary<SpeakerTurn[]> = fc.array(
  fc
    .record({
      id: fc.integer({ min: 1, max: 4 }),
      startMs: fc.integer({ min: 0, max: 60_000 }),
      lengthMs: fc.integer({ min: 1, max: 8000 }),
    })
    .map(({ id, startMs, lengthMs }) => said(id, startMs, startMs + lengthMs)),
  { maxLength: 20 },
);

const DIMENSIONS = 16;

/**
 * A voice of person `person`, 0 to 15, which is `strangeness` away from how he sounds as a rule. Persons are orthogonal;
 * strange voices have the cosine 1 / √(1 + strangeness²) with their person and are not alike (`take` says which one).
 */
export function voice(person: number, ms = 3000, strangeness = 0, take = 0): Voice {
  const embedding = new Float32Array(DIMENSIONS * 2);
  embedding[person] = 1;
  embedding[DIMENSIONS + (take % DIMENSIONS)] = strangeness;
  return { embedding: unit(embedding), ms };
}

/** Between two persons: `share` 0 is the first, 1 the second. */
export function between(first: number, second: number, share: number, ms = 3000): Voice {
  const embedding = new Float32Array(DIMENSIONS * 2);
  embedding[first] = 1 - share;
  embedding[second] = share;
  return { embedding: unit(embedding), ms };
}

/** Voices of up to four persons, more or less like themselves. */
export const anyVoice: fc.Arbitrary<Voice> = fc
  .record({
    person: fc.integer({ min: 0, max: 3 }),
    ms: fc.integer({ min: 200, max: 8000 }),
    strangeness: fc.double({ min: 0, max: 2, noNaN: true }),
    take: fc.integer({ min: 0, max: DIMENSIONS - 1 }),
  })
  .map(({ person, ms, strangeness, take }) => voice(person, ms, strangeness, take));
