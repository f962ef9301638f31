import type { SegmentId, SessionId, SourceId } from '../protocol/ids.ts';

/** ISO 639-1 code of a language the app transcribes. */
export const LANGUAGES = ['en', 'es', 'fr', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * One word as it is shown, with the space before it where the language writes one, so that
 * joining the texts gives the sentence. Chinese: one token, usually one to three characters.
 */
export interface Word {
  readonly text: string;
  /** On the source's clock, ms. Null when the recognizer gives no word times. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** Of its least probable token, in [0, 1]; absent where the recognizer gives none. */
  readonly probability?: number;
}

/** tentative: may still change. committed: has words that never change again. final: complete. */
export type SegmentState = 'tentative' | 'committed' | 'final';

/** What was said in one utterance. */
export interface Segment {
  readonly id: SegmentId;
  readonly sourceId: SourceId;
  /** On the session's clock, ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly language: Language | null;
  readonly state: SegmentState;
  /** Words that never change again. */
  readonly committed: readonly Word[];
  /** Words that the next hypothesis may replace. Empty when final. */
  readonly tentative: readonly Word[];
  /** Grows with each version of the segment, and from one engine to the next (see REVS_PER_EPOCH): the highest wins. */
  readonly rev: number;
  /** Read from the journal after the tab that recorded it had died. */
  readonly recovered?: true;
  /** Mean natural-log probability of the decoded tokens; null where the model gives none. */
  readonly averageLogProbability: number | null;
  /** Whisper's probability that the window holds no speech; null where the model gives none. */
  readonly noSpeechProbability: number | null;
}

/** A meeting as shown: its segments in the order of their start. */
export interface Transcript {
  readonly sessionId: SessionId;
  readonly segments: readonly Segment[];
}

/** Moves a word's times, to no less than `leastMs`; a word without times stays without. */
export const shiftWord = (word: Word, byMs: number, leastMs = 0): Word => ({
  ...word,
  startMs: word.startMs === null ? null : Math.max(leastMs, word.startMs + byMs),
  endMs: word.endMs === null ? null : Math.max(leastMs, word.endMs + byMs),
});

export const textOf = (words: readonly Word[]): string =>
  words
    .map((word) => word.text)
    .join('')
    .trim();

/** Revisions of an engine begin at its epoch times this: a later engine's versions win over an earlier one's. */
export const REVS_PER_EPOCH = 2 ** 20;
