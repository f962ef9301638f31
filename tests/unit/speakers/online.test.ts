import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { speakerId } from '@core/protocol/ids.ts';
import type { Voice } from '@core/speakers/embedding.ts';
import { observe, type Observed, type OnlineOptions } from '@core/speakers/online.ts';
import {
  areApart,
  mergeSpeakers,
  NOBODY_YET,
  teach,
  type SourceVoice,
  type SpeakerState,
} from '@core/speakers/speaker-state.ts';
import { anyVoice, between, voice } from '../../support/voices.ts';

const OPTIONS: OnlineOptions = {
  sure: 0.6,
  doubtful: 0.4,
  merge: 0.9,
  newSpeakerMs: 1500,
  onlySpeakerBonus: 0.15,
};

const from = (source: string, one: Voice): SourceVoice => ({ ...one, source });
const mic = (one: Voice): SourceVoice => from('mic', one);

/** One voice after another, or several at once. */
function hear(
  list: readonly (SourceVoice | readonly SourceVoice[])[],
  options: OnlineOptions = OPTIONS,
  state: SpeakerState = NOBODY_YET,
): Observed[] {
  return list.map((one) => {
    const observed = observe(state, 'embedding' in one ? [one] : one, options);
    state = observed.state;
    return observed;
  });
}

const speakersOf = (observed: readonly Observed[]): (number | null)[] =>
  observed.flatMap(({ assignments }) => assignments.map(({ speaker }) => speaker));

describe('live labels', () => {
  test('who comes back is known again', () => {
    const people = [0, 1, 0, 2, 1, 0];
    expect(speakersOf(hear(people.map((person, take) => mic(voice(person, 3000, 0.5, take)))))).toEqual([
      1, 2, 1, 3, 2, 1,
    ]);
  });

  test('a short noise is nobody; who goes on speaking becomes a speaker, with all that was said before', () => {
    const observed = hear([mic(voice(0, 600)), mic(voice(5, 400)), mic(voice(0, 600)), mic(voice(0, 600))]);
    expect(speakersOf(observed)).toEqual([null, null, null, 1]);
    const candidates = observed.map(({ assignments }) => assignments[0]!.candidate);
    expect(candidates[0]).toBe(candidates[2]);
    expect(observed[3]!.promoted).toEqual([{ candidate: candidates[0], speaker: 1 }]);
  });

  test('two new voices at once are two, however alike, and one on two sources is not counted together', () => {
    const [both] = hear([[mic(voice(0, 900)), mic(voice(0, 900))]]);
    const [first, second] = both!.assignments;
    expect([first!.speaker, second!.speaker]).toEqual([null, null]);
    expect(first!.candidate).not.toBe(second!.candidate);
    expect(speakersOf(hear([mic(voice(0, 900)), from('tab', voice(0, 900))]))).toEqual([null, null]);
  });

  test('noises are forgotten, the oldest first', () => {
    const observed = hear(Array.from({ length: 16 }, (_, person) => mic(voice(person, 800))));
    const { state } = observed.at(-1)!;
    expect(state.candidates).toHaveLength(12);
    expect(speakersOf(hear([mic(voice(15, 800)), mic(voice(0, 800))], OPTIONS, state))).toEqual([1, null]);
  });

  test('a doubtful voice gets the nearest label and does not change whom it is compared with', () => {
    const [first, doubtful] = hear([mic(voice(0)), from('tab', between(0, 1, 0.62))]);
    expect(doubtful!.assignments).toEqual([{ speaker: 1, sure: false, candidate: null }]);
    expect(doubtful!.state.speakers).toEqual(first!.state.speakers);
  });

  test('two at the same time are two, and stay two when they sound more and more alike', () => {
    const observed = hear([
      [mic(voice(0)), mic(voice(1))],
      [mic(voice(1)), mic(voice(0))],
      ...Array.from({ length: 8 }, () => [mic(between(0, 1, 0.45, 9000)), mic(between(0, 1, 0.55, 9000))]),
    ]);
    expect(speakersOf(observed).slice(0, 4)).toEqual([1, 2, 2, 1]);
    const { state } = observed.at(-1)!;
    expect(state.speakers).toHaveLength(2);
    expect(areApart(state, speakerId(1), speakerId(2))).toBe(true);
  });

  test('one person taken for two becomes one again, under the first number', () => {
    const drifting = [
      mic(voice(0, 2000)),
      ...[0.7, 0.6, 0.5, 0.4, 0.2].map((share, index) =>
        from('tab', between(0, 1, share, 2000 * 4 ** index)),
      ),
    ];
    const observed = hear(drifting);
    expect(speakersOf(observed)).toEqual([1, 2, 2, 2, 2, 1]);
    expect(observed.flatMap(({ merged }) => merged)).toEqual([{ from: 2, into: 1 }]);
    const { state } = observed.at(-1)!;
    expect(state.speakers.map(({ id }) => id)).toEqual([1]);
    // Whoever comes next is not taken for the one who is gone.
    expect(speakersOf(hear([mic(voice(7)), mic(voice(8))], OPTIONS, state))).toEqual([3, 4]);
    // Not where a person has said that they are two.
    const two = hear(drifting, { ...OPTIONS, speakers: { exactly: 2 } });
    expect(two.at(-1)!.state.speakers).toHaveLength(2);
  });

  test('a microphone that has only had one speaker prefers that one', () => {
    const strange = between(0, 1, 0.52);
    const state = hear([from('mic', voice(0)), from('tab', voice(1)), from('tab', voice(2))]).at(-1)!.state;
    const speakerOn = (source: string): number | null =>
      speakersOf(hear([from(source, strange)], OPTIONS, state))[0]!;
    expect(speakerOn('mic')).toBe(1);
    expect(speakerOn('tab')).toBe(2);
  });

  test('told that there are two, a third voice is one of them', () => {
    const options: OnlineOptions = { ...OPTIONS, speakers: { atMost: 2 } };
    const observed = hear([mic(voice(0)), mic(voice(1)), mic(voice(2)), mic(between(1, 2, 0.3))], options);
    expect(observed.at(-1)!.state.speakers).toHaveLength(2);
    expect(speakersOf(observed).slice(3)).toEqual([2]);
    const alone: OnlineOptions = { ...OPTIONS, speakers: { atMost: 1 } };
    const [, both] = hear([mic(voice(0)), [mic(voice(0)), mic(voice(1))]], alone);
    expect(both!.assignments.map(({ speaker }) => speaker)).toEqual([1, null]);
    expect(both!.merged).toEqual([]);
  });

  test('told so in mid-meeting, the closest become one, but not two whom a person has named', () => {
    const many = hear([mic(voice(0)), from('tab', between(0, 1, 0.75)), mic(between(1, 2, 0.8))]).at(
      -1,
    )!.state;
    const two: OnlineOptions = { ...OPTIONS, speakers: { exactly: 2 } };
    const [told] = hear([mic(between(1, 2, 0.8))], two, many);
    expect(told!.merged).toEqual([{ from: 2, into: 1 }]);

    const named = teach(teach(many, mic(voice(0)), speakerId(1)), mic(between(0, 1, 0.75)), speakerId(2));
    expect(hear([mic(between(1, 2, 0.8))], two, named)[0]!.merged).toEqual([{ from: 3, into: 2 }]);
  });

  test('what a person says is learnt: the voice is new, or belongs to somebody known', () => {
    const state = hear([mic(voice(0))]).at(-1)!.state;
    const taught = teach(state, mic(voice(4, 300)), null);
    expect(speakersOf(hear([mic(voice(4, 300))], OPTIONS, taught))).toEqual([2]);
    const same = teach(state, mic(voice(4, 3000)), speakerId(1));
    expect(speakersOf(hear([mic(voice(4, 300))], OPTIONS, same))).toEqual([1]);
  });

  test('merged by hand, the one who stays is known by both voices', () => {
    const state = mergeSpeakers(
      hear([mic(voice(0)), from('tab', voice(1))]).at(-1)!.state,
      speakerId(1),
      speakerId(2),
    );
    expect(state.speakers.map(({ id, msBySource }) => [id, msBySource])).toEqual([
      [2, { mic: 3000, tab: 3000 }],
    ]);
    expect(speakersOf(hear([mic(voice(0)), mic(voice(1))], OPTIONS, state))).toEqual([2, 2]);
    expect(speakersOf(hear([mic(voice(5))], OPTIONS, state))).toEqual([3]);
  });

  test('merged by hand, the one who stays is as well known as the other was, and as different from others', () => {
    const { state } = hear([[mic(voice(0)), mic(voice(1))], mic(voice(2))]).at(-1)!;
    const named = teach(state, mic(voice(0)), speakerId(1));
    const merged = mergeSpeakers(named, speakerId(1), speakerId(3));
    expect(merged.speakers.find(({ id }) => id === 3)!.confirmed).toBe(true);
    expect(areApart(merged, speakerId(2), speakerId(3))).toBe(true);
  });
});

describe('whatever is heard', () => {
  const anySource = fc.constantFrom('mic', 'tab');
  const anyHeard = fc.array(
    fc.array(
      fc.tuple(anySource, anyVoice).map(([source, one]) => from(source, one)),
      { minLength: 1, maxLength: 3 },
    ),
    { maxLength: 25 },
  );
  const anyOptions = fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }).map((most): OnlineOptions => ({
    ...OPTIONS,
    merge: 0.75,
    ...(most === null ? {} : { speakers: { atMost: most } }),
  }));

  test('the same gives the same, also when the meeting is stored and opened again in between', () => {
    fc.assert(
      fc.property(anyHeard, anyOptions, fc.nat(25), (list, options, at) => {
        const observed = hear(list, options);
        expect(hear(list, options)).toEqual(observed);
        const first = hear(list.slice(0, at), options);
        const stored = structuredClone(first.at(-1)?.state ?? NOBODY_YET);
        expect([...first, ...hear(list.slice(at), options, stored)]).toEqual(observed);
      }),
    );
  });

  test('never more speakers than the count, two at once never one, and no number twice', () => {
    fc.assert(
      fc.property(anyHeard, anyOptions, (list, options) => {
        const gone = new Set<number>();
        const seen = new Set<number>();
        for (const { state, assignments, promoted, merged } of hear(list, options)) {
          const ids = state.speakers.map(({ id }) => id);
          if (options.speakers && 'atMost' in options.speakers)
            expect(ids.length).toBeLessThanOrEqual(options.speakers.atMost);
          for (const { speaker } of promoted) {
            expect(seen.has(speaker)).toBe(false);
            seen.add(speaker);
          }
          for (const { from: id } of merged) gone.add(id);
          expect(ids.filter((id) => gone.has(id))).toEqual([]);
          const assigned = assignments.flatMap(({ speaker }) => (speaker === null ? [] : [speaker]));
          expect(assigned.filter((id) => !ids.includes(id))).toEqual([]);
          if (merged.length === 0) expect(new Set(assigned).size).toBe(assigned.length);
        }
      }),
    );
  });

  test('told a lower count at any time, no more are left than that', () => {
    fc.assert(
      fc.property(anyHeard, fc.integer({ min: 1, max: 3 }), anyVoice, (list, most, last) => {
        const state = hear(list).at(-1)?.state ?? NOBODY_YET;
        const [observed] = hear([mic(last)], { ...OPTIONS, speakers: { exactly: most } }, state);
        expect(observed!.state.speakers.length).toBeLessThanOrEqual(most);
      }),
    );
  });
});
