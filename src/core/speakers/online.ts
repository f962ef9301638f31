import { speakerId, type SpeakerId } from '../protocol/ids.ts';
import { bestPairs } from './assignment.ts';
import { addScaled } from './embedding.ts';
import {
  areApart,
  heard,
  keepApart,
  mergeSpeakers,
  similarity,
  withSpeaker,
  type KnownSpeaker,
  type SourceVoice,
  type SpeakerState,
} from './speaker-state.ts';
import { mostSpeakers, type SpeakerCount } from './turns.ts';

/** Cosine similarities belong to the embedding model. */
export interface OnlineOptions {
  /** From this similarity on a voice is surely the speaker's, and makes his centroid better. */
  readonly sure: number;
  /** Below it a voice is nobody's that is known. Between the two it goes to the nearest, who learns nothing from it. */
  readonly doubtful: number;
  /** From this similarity on two centroids are one speaker. Above `sure`. */
  readonly merge: number;
  /** Speech of a new voice before it is a speaker, ms. */
  readonly newSpeakerMs: number;
  /** Added to the similarity with the only speaker a source has ever had. */
  readonly onlySpeakerBonus: number;
  readonly speakers?: SpeakerCount;
}

/** Whose voice it is. */
export interface Assignment {
  /** Null while too little has been heard of the voice. */
  readonly speaker: SpeakerId | null;
  readonly sure: boolean;
  /** Of a voice that may become a speaker: see `promoted`. */
  readonly candidate: number | null;
}

export interface Observed {
  readonly state: SpeakerState;
  /** In the order of the voices. */
  readonly assignments: readonly Assignment[];
  /** Candidates that became speakers: what was assigned to the candidate was said by the speaker. */
  readonly promoted: readonly { readonly candidate: number; readonly speaker: SpeakerId }[];
  /** Speakers that turned out to be one: what `from` said was said by `into`. In this order. */
  readonly merged: readonly { readonly from: SpeakerId; readonly into: SpeakerId }[];
}

/** Noise makes many voices that are never heard again; the one that was silent the longest is forgotten. */
const MAX_CANDIDATES = 12;

/** Keeps a pair at the limit of what is assigned at all from weighing nothing. */
const LEAST_WEIGHT = 1e-6;

const NOT_ASSIGNED: Assignment = { speaker: null, sure: false, candidate: null };

/**
 * Labels voices while a meeting goes on: online clustering after diart (Coria et al. 2021, "Overlap-aware low-latency
 * online speaker diarization based on end-to-end local segmentation").
 * @param voices of people who speak at the same time, or in the same window, and so are different people. Voices that
 *   may be one person's are observed one after another.
 */
export function observe(
  before: SpeakerState,
  voices: readonly SourceVoice[],
  options: OnlineOptions,
): Observed {
  let state = before;
  const limit = mostSpeakers(options.speakers);
  const known = state.speakers;
  const floor = known.length >= limit ? -1 - options.onlySpeakerBonus : options.doubtful;
  const scores = voices.map((voice) => known.map((speaker) => score(known, speaker, voice, options)));
  const pairs = bestPairs(
    scores.map((row) => row.map((value) => (value < floor ? 0 : value - floor + LEAST_WEIGHT))),
  );

  const promoted: { candidate: number; speaker: SpeakerId }[] = [];
  const taken = new Set<number>();
  let assignments = voices.map((voice, index): Assignment => {
    const column = pairs[index]!;
    const speaker = known[column];
    if (speaker) {
      const sure = scores[index]![column]! >= options.sure;
      if (sure) state = replace(state, heard(speaker, voice));
      return { speaker: speaker.id, sure, candidate: null };
    }
    if (state.speakers.length >= limit) return NOT_ASSIGNED;
    const { state: next, key } = remember(state, voice, taken, options);
    taken.add(key);
    state = next;
    const candidate = state.candidates.find((one) => one.key === key)!;
    if (candidate.ms < options.newSpeakerMs) return { ...NOT_ASSIGNED, candidate: key };
    const id = speakerId(state.nextId);
    promoted.push({ candidate: key, speaker: id });
    state = withSpeaker(
      { ...state, candidates: state.candidates.filter((one) => one !== candidate) },
      { sum: candidate.sum, msBySource: { [candidate.source]: candidate.ms }, confirmed: false },
    );
    return { speaker: id, sure: true, candidate: null };
  });

  state = keepApart(
    state,
    assignments.flatMap(({ speaker, sure }) => (sure && speaker !== null ? [speaker] : [])),
  );
  const merged: { from: SpeakerId; into: SpeakerId }[] = [];
  for (let pair = nextMerge(state, options); pair !== null; pair = nextMerge(state, options)) {
    const { from, into } = pair;
    state = mergeSpeakers(state, from, into);
    merged.push(pair);
    assignments = assignments.map((one) => (one.speaker === from ? { ...one, speaker: into } : one));
  }
  return { state, assignments, promoted, merged };
}

function score(
  known: readonly KnownSpeaker[],
  speaker: KnownSpeaker,
  { embedding, source }: SourceVoice,
  { onlySpeakerBonus }: OnlineOptions,
): number {
  const ofSource = known.filter(({ msBySource }) => (msBySource[source] ?? 0) > 0);
  const isOnly = ofSource.length === 1 && ofSource[0] === speaker;
  return similarity(speaker.sum, embedding) + (isOnly ? onlySpeakerBonus : 0);
}

const replace = (state: SpeakerState, speaker: KnownSpeaker): SpeakerState => ({
  ...state,
  speakers: state.speakers.map((known) => (known.id === speaker.id ? speaker : known)),
});

/** Adds a voice to the candidate it surely belongs to, or makes it one. The last heard is the last of the list. */
function remember(
  state: SpeakerState,
  { embedding, ms, source }: SourceVoice,
  taken: ReadonlySet<number>,
  { sure }: OnlineOptions,
): { state: SpeakerState; key: number } {
  let nearest: { readonly value: number; readonly key: number } | null = null;
  for (const candidate of state.candidates) {
    if (candidate.source !== source || taken.has(candidate.key)) continue;
    const value = similarity(candidate.sum, embedding);
    if (value >= (nearest?.value ?? sure)) nearest = { value, key: candidate.key };
  }
  const key = nearest?.key ?? state.nextKey;
  const old = state.candidates.find((candidate) => candidate.key === key);
  const sum = addScaled(old?.sum ?? new Float32Array(embedding.length), embedding, ms);
  const others = state.candidates.filter((candidate) => candidate !== old);
  return {
    key,
    state: {
      ...state,
      candidates: [...others, { key, source, sum, ms: (old?.ms ?? 0) + ms }].slice(-MAX_CANDIDATES),
      nextKey: Math.max(state.nextKey, key + 1),
    },
  };
}

/**
 * The two closest centroids, where they are one speaker or there are more than can be. Confirmed speakers are never
 * merged with each other: whom people have named counts more than how many they said there are.
 */
function nextMerge(
  state: SpeakerState,
  { merge, speakers }: OnlineOptions,
): { from: SpeakerId; into: SpeakerId } | null {
  const count = state.speakers.length;
  const tooMany = count > mostSpeakers(speakers);
  if (!tooMany && speakers && 'exactly' in speakers) return null;
  let best: { value: number; from: SpeakerId; into: SpeakerId } | null = null;
  for (const [index, a] of state.speakers.entries()) {
    for (const b of state.speakers.slice(index + 1)) {
      if (a.confirmed && b.confirmed) continue;
      const apart = areApart(state, a.id, b.id);
      // Whoever has spoken at the same time is merged only when there are too many and nobody else is left.
      const value = similarity(a.sum, b.sum) - (apart ? 2 : 0);
      if (!tooMany && value < merge) continue;
      if (best !== null && value <= best.value) continue;
      const [into, from] = b.confirmed ? [b.id, a.id] : [a.id, b.id];
      best = { value, from, into };
    }
  }
  return best && { from: best.from, into: best.into };
}
