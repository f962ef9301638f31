import { speakerId, type SpeakerId } from '../protocol/ids.ts';
import { addScaled, dot, unit, type Voice } from './embedding.ts';

/** A voice of one capture source. */
export interface SourceVoice extends Voice {
  /** Which microphone, tab or file it comes from. */
  readonly source: string;
}

/** What is known of a speaker's voice. */
export interface KnownSpeaker {
  readonly id: SpeakerId;
  /** Sum of the embeddings, each times its ms; its direction is the centroid. */
  readonly sum: Float32Array;
  /** Speech in the sum, by capture source. */
  readonly msBySource: Readonly<Record<string, number>>;
  /** A person has said who this is: never merged with another one that is confirmed, and kept when merged. */
  readonly confirmed: boolean;
}

/** A voice like no speaker's, until there is enough of it to be one. */
export interface Candidate {
  readonly key: number;
  readonly source: string;
  readonly sum: Float32Array;
  readonly ms: number;
}

/**
 * The voices of one meeting. A plain value: structured clone stores and restores it, and what follows depends on nothing
 * else.
 */
export interface SpeakerState {
  readonly speakers: readonly KnownSpeaker[];
  readonly candidates: readonly Candidate[];
  /** Pairs who have spoken at the same time and so are two. */
  readonly apart: readonly (readonly [SpeakerId, SpeakerId])[];
  /** Of the next speaker: numbers of merged speakers are not used again. */
  readonly nextId: number;
  readonly nextKey: number;
}

export const NOBODY_YET: SpeakerState = {
  speakers: [],
  candidates: [],
  apart: [],
  nextId: 1,
  nextKey: 1,
};

/** Cosine of two directions. */
export const similarity = (a: Float32Array, b: Float32Array): number => dot(unit(a), unit(b));

/** A voice that is surely this speaker's becomes part of the centroid. */
export const heard = (speaker: KnownSpeaker, { embedding, ms, source }: SourceVoice): KnownSpeaker => ({
  ...speaker,
  sum: addScaled(speaker.sum, embedding, ms),
  msBySource: { ...speaker.msBySource, [source]: (speaker.msBySource[source] ?? 0) + ms },
});

/** The state with one more speaker, of the next id. */
export const withSpeaker = (
  state: SpeakerState,
  speaker: Pick<KnownSpeaker, 'sum' | 'msBySource' | 'confirmed'>,
): SpeakerState => ({
  ...state,
  speakers: [...state.speakers, { ...speaker, id: speakerId(state.nextId) }],
  nextId: state.nextId + 1,
});

export const areApart = (state: SpeakerState, a: SpeakerId, b: SpeakerId): boolean =>
  state.apart.some(([first, second]) => (first === a && second === b) || (first === b && second === a));

/** Remembers that all these have spoken at the same time. */
export function keepApart(state: SpeakerState, ids: readonly SpeakerId[]): SpeakerState {
  const pairs = ids.flatMap((a, index) =>
    ids.slice(index + 1).flatMap((b): [SpeakerId, SpeakerId][] => (areApart(state, a, b) ? [] : [[a, b]])),
  );
  return pairs.length === 0 ? state : { ...state, apart: [...state.apart, ...pairs] };
}

/** Two speakers are one, who keeps the id `into`. An id that is not there changes nothing. */
export function mergeSpeakers(state: SpeakerState, from: SpeakerId, into: SpeakerId): SpeakerState {
  const gone = state.speakers.find(({ id }) => id === from);
  const kept = state.speakers.find(({ id }) => id === into);
  if (!gone || !kept || gone === kept) return state;
  const msBySource = { ...kept.msBySource };
  for (const [source, ms] of Object.entries(gone.msBySource))
    msBySource[source] = (msBySource[source] ?? 0) + ms;
  const merged: KnownSpeaker = {
    id: into,
    sum: addScaled(kept.sum, gone.sum, 1),
    msBySource,
    confirmed: kept.confirmed || gone.confirmed,
  };
  const renamed = state.apart.map(([a, b]): [SpeakerId, SpeakerId] => [
    a === from ? into : a,
    b === from ? into : b,
  ]);
  return {
    ...state,
    speakers: state.speakers.flatMap((speaker) =>
      speaker === gone ? [] : [speaker === kept ? merged : speaker],
    ),
    apart: renamed.filter(
      ([a, b], index) =>
        a !== b && !renamed.slice(0, index).some(([c, d]) => (a === c && b === d) || (a === d && b === c)),
    ),
  };
}

/**
 * A person says whose voice this is: it counts for that speaker's centroid, and the speaker is confirmed. With null it is
 * somebody new.
 */
export function teach(state: SpeakerState, voice: SourceVoice, speaker: SpeakerId | null): SpeakerState {
  if (speaker === null) {
    return withSpeaker(state, {
      sum: addScaled(new Float32Array(voice.embedding.length), voice.embedding, voice.ms),
      msBySource: { [voice.source]: voice.ms },
      confirmed: true,
    });
  }
  return {
    ...state,
    speakers: state.speakers.map((known) =>
      known.id === speaker ? { ...heard(known, voice), confirmed: true } : known,
    ),
  };
}
