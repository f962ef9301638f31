import type { EngineEvent } from '../protocol/engine.ts';
import type { SegmentId, SessionId } from '../protocol/ids.ts';
import type { Segment, Transcript } from './types.ts';

/** A transcript that also remembers what the engine took back, so that no late event brings it up again. */
export interface FoldedTranscript extends Transcript {
  /** Revision at which each dropped segment was dropped. */
  readonly dropped: ReadonlyMap<SegmentId, number>;
}

export const emptyTranscript = (
  sessionId: SessionId,
  segments: readonly Segment[] = [],
): FoldedTranscript => ({
  sessionId,
  segments: [...segments].sort(byStart),
  dropped: new Map(),
});

/**
 * Folds one engine event into a transcript. Pure: returns the same object when nothing changes, and every
 * segment that did not change keeps its identity, so that a list keyed by id redraws one item only.
 *
 * The highest `rev` of a segment wins; a final segment is replaced by a newer final only; words of a
 * dropped segment do not come back. Events of other sessions and events about models or lag are ignored.
 */
export function reduce(transcript: FoldedTranscript, event: EngineEvent): FoldedTranscript {
  if (!('sessionId' in event) || event.sessionId !== transcript.sessionId) return transcript;
  switch (event.type) {
    case 'partial':
    case 'segment':
      return put(transcript, event.segment);
    case 'segment-dropped':
      return drop(transcript, event.segmentId, event.rev);
    case 'translation':
    case 'lag':
    case 'session':
      return transcript;
  }
}

const byStart = (a: Segment, b: Segment): number =>
  a.startMs - b.startMs || a.sourceId.localeCompare(b.sourceId);

function put(transcript: FoldedTranscript, segment: Segment): FoldedTranscript {
  const { segments, dropped } = transcript;
  const droppedRev = dropped.get(segment.id);
  if (droppedRev !== undefined && droppedRev >= segment.rev) return transcript;
  if (segment.committed.length + segment.tentative.length === 0) {
    return segment.state === 'final' ? drop(transcript, segment.id, segment.rev) : transcript;
  }

  const at = segments.findLastIndex((known) => known.id === segment.id);
  const known = segments[at];
  if (known) {
    const older = segment.rev <= known.rev;
    const reopens = known.state === 'final' && segment.state !== 'final';
    if (older || reopens) return transcript;
    if (known.startMs === segment.startMs) return { ...transcript, segments: segments.with(at, segment) };
  }
  const others = known ? segments.toSpliced(at, 1) : segments;
  const before = others.findLastIndex((other) => byStart(other, segment) <= 0);
  return { ...transcript, segments: others.toSpliced(before + 1, 0, segment) };
}

function drop(transcript: FoldedTranscript, id: SegmentId, rev: number): FoldedTranscript {
  const at = transcript.segments.findLastIndex((known) => known.id === id);
  const known = transcript.segments[at];
  if (known && known.rev > rev) return transcript;
  return {
    ...transcript,
    segments: known ? transcript.segments.toSpliced(at, 1) : transcript.segments,
    dropped: new Map(transcript.dropped).set(id, rev),
  };
}
