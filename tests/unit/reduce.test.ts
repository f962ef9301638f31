import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@core/protocol/engine.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { emptyTranscript, reduce } from '@core/transcript/reduce.ts';
import { textOf, type Segment } from '@core/transcript/types.ts';
import { segment, SESSION, TAB, words } from '../support/segments.ts';

const partial = (value: Segment): EngineEvent => ({ type: 'partial', sessionId: SESSION, segment: value });
const final = (value: Segment): EngineEvent => ({ type: 'segment', sessionId: SESSION, segment: value });
const dropped = ({ id, rev }: Segment): EngineEvent => ({
  type: 'segment-dropped',
  sessionId: SESSION,
  segmentId: id,
  rev,
  reason: 'no-speech',
});
const fold = (...events: EngineEvent[]) => events.reduce(reduce, emptyTranscript(SESSION));
const texts = (transcript: { segments: readonly Segment[] }) =>
  transcript.segments.map(({ committed, tentative }) => textOf([...committed, ...tentative]));

describe('a transcript that follows the engine', () => {
  it('replaces the words of an utterance as they are heard again, and keeps the final ones', () => {
    const open = segment(0, '', { state: 'tentative', committed: [], tentative: words('Good mourning') });
    const done = segment(0, 'Good morning.', { rev: 3 });
    expect(
      texts(fold(partial(open), partial({ ...open, rev: 2, tentative: words('Good morning every') }))),
    ).toEqual(['Good morning every']);
    expect(texts(fold(partial(open), final(done), partial({ ...open, rev: 9 })))).toEqual(['Good morning.']);
  });

  it('ignores a version that comes late', () => {
    const newer = segment(0, 'new', { rev: 5 });
    const before = fold(final(newer));
    expect(reduce(before, final({ ...newer, rev: 4, committed: words('old') }))).toBe(before);
    expect(reduce(before, final(newer))).toBe(before);
  });

  it('takes back what turned out to be noise, for good', () => {
    const noise = segment(0, 'you', { state: 'tentative', rev: 2 });
    const after = fold(partial(noise), dropped({ ...noise, rev: 3 }));
    expect(after.segments).toEqual([]);
    expect(reduce(after, partial(noise))).toBe(after);
  });

  it('keeps words that are newer than the drop', () => {
    const spoken = segment(0, 'yes', { rev: 4 });
    expect(texts(fold(final(spoken), dropped({ ...spoken, rev: 3 })))).toEqual(['yes']);
  });

  it('shows nothing for an utterance without words', () => {
    const silent = segment(0, '', { committed: [] });
    expect(fold(partial({ ...silent, state: 'tentative' })).segments).toEqual([]);
    expect(fold(final(silent)).segments).toEqual([]);
  });

  it('ignores other sessions, lag and models', () => {
    const before = fold(final(segment(0, 'mine')));
    const other = 'another' as SessionId;
    expect(reduce(before, { ...final(segment(5_000, 'theirs')), sessionId: other } as EngineEvent)).toBe(
      before,
    );
    expect(reduce(before, { type: 'lag', sessionId: SESSION, lagMs: 9, waitingUtterances: 1 })).toBe(before);
  });

  it('leaves every other segment the very same object, so that a list redraws one item', () => {
    const before = fold(...[0, 5_000, 10_000].map((startMs) => final(segment(startMs, `at ${startMs}`))));
    const after = reduce(before, final(segment(5_000, 'changed', { rev: 2 })));
    expect(after.segments[0]).toBe(before.segments[0]);
    expect(after.segments[2]).toBe(before.segments[2]);
    expect(texts(after)[1]).toBe('changed');
  });

  it('ends the same whatever order the versions of two sources arrive in', () => {
    const versions = [0, 3_000, 7_000].flatMap((startMs) =>
      [1, 2, 3].flatMap((rev) => [
        final(segment(startMs, `m ${startMs} ${rev}`, { rev })),
        final(segment(startMs + 1_000, `t ${startMs} ${rev}`, { rev, sourceId: TAB })),
      ]),
    );
    const expected = texts(fold(...versions));
    expect(expected).toEqual(['m 0 3', 't 0 3', 'm 3000 3', 't 3000 3', 'm 7000 3', 't 7000 3']);
    fc.assert(
      fc.property(fc.shuffledSubarray(versions, { minLength: versions.length }), (shuffled) => {
        expect(texts(fold(...shuffled))).toEqual(expected);
      }),
    );
  });
});
