import { clusterVoices, type Clustering, type ClusteringOptions } from './clustering.ts';
import type { Voice } from './embedding.ts';
import {
  DEFAULT_SMOOTHING,
  framesSpan,
  LOCAL_SPEAKERS,
  localTurns,
  type LocalActivity,
  type Smoothing,
} from './powerset.ts';
import { timelineOf } from './timeline.ts';
import {
  aloneIn,
  joinTurns,
  lengthMs,
  overlapsOf,
  sharedMs,
  type Durations,
  type Region,
  type Span,
  type SpeakerTurn,
} from './turns.ts';

/** 10 s of a recording as the segmentation model hears it, with the voices of its local speakers. */
export interface DiarizationWindow {
  /** On the recording's clock, ms. Windows overlap: a new one every 2.5 or 5 s. */
  readonly startMs: number;
  readonly activity: LocalActivity;
  /** By local speaker; null for those who are silent or speak too little for an embedding. */
  readonly voices: readonly (Voice | null)[];
}

export interface StitchingOptions extends ClusteringOptions {
  readonly smoothing?: Smoothing;
  /** For the turns of the result; {@link DEFAULT_DURATIONS} unless given. */
  readonly durations?: Durations;
}

export interface Diarization {
  /** Speakers are labels of {@link Clustering}; at most two at a time. */
  readonly turns: readonly SpeakerTurn<number>[];
  readonly centroids: Clustering['centroids'];
}

/** A breath is part of a turn, a backchannel is one. */
export const DEFAULT_DURATIONS: Durations = { minOnMs: 150, minOffMs: 400 };

/** Windows of 10 s every 2.5 s overlap with three to each side. */
const NEIGHBOURS = 3;

const LOCAL_PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;

/**
 * Shorter than this two at once are taken for the model's way of changing from one to the other. With a weak model
 * 250 ms found fewer speakers that are none than 100 ms, and 500 ms merged people.
 */
const SIMULTANEOUS_MS = 250;
/** How probable both must be. Less sure, a weak model hears one person as two at once (docs/adr/0010). */
const SURE = 0.7;

/**
 * Where to take a local speaker's embedding from, ms from the window's start: where he speaks alone if that is at least
 * `minMs`, else wherever he speaks; nothing if that is too little as well.
 */
export function voiceSpans(
  activity: LocalActivity,
  local: number,
  minMs: number,
  smoothing: Smoothing = DEFAULT_SMOOTHING,
): Span[] {
  const turns = localTurns(activity.hard, smoothing);
  const candidates = [aloneIn(turns), turns].map((all) => all.filter(({ speaker }) => speaker === local));
  return candidates.find((spans) => totalMs(spans) >= minMs) ?? [];
}

/**
 * Who speaks when in a recording: the local speakers of all windows are clustered by voice, not chained from window to
 * window, so that who comes back after minutes is the same person (pyannote.audio 3; Bredin 2023). Two who speak at once
 * in a window are two. Local speakers without a voice of their own take the label of the neighbouring windows at that
 * time; those that nobody knows are left out.
 */
export function stitch(windows: readonly DiarizationWindow[], options: StitchingOptions): Diarization {
  const turns = windows.map(({ activity, startMs }) =>
    localTurns(activity.hard, options.smoothing ?? DEFAULT_SMOOTHING, startMs),
  );
  const coverage = coverageOf(windows);
  const voices: Voice[] = [];
  const indices = windows.map((window) =>
    Array.from({ length: LOCAL_SPEAKERS }, (_, local) => {
      const voice = window.voices[local];
      return voice ? voices.push({ ...voice, ms: voice.ms / coverage }) - 1 : null;
    }),
  );
  const cannotLink = windows.flatMap(({ activity }, window) =>
    simultaneous(sureOverlaps(activity)).flatMap(([a, b]): [number, number][] => {
      const [first, second] = [indices[window]![a] ?? null, indices[window]![b] ?? null];
      return first === null || second === null ? [] : [[first, second]];
    }),
  );
  const { labels, centroids } = clusterVoices(voices, cannotLink, options);
  const labelled = indices.map((local) => local.map((index) => (index === null ? null : labels[index]!)));
  const complete = labelled.map((own, window) =>
    own.map((label, local) =>
      label !== null || windows[window]!.voices[local] ? label : labelAround(turns, labelled, window, local),
    ),
  );
  return {
    turns: timelineOf(
      windows.map(({ startMs, activity }, window) => ({ startMs, activity, labels: complete[window]! })),
      options.durations ?? DEFAULT_DURATIONS,
    ),
    centroids,
  };
}

/** In how many windows a moment lies on average: speech must not count once for each. */
function coverageOf(windows: readonly DiarizationWindow[]): number {
  const spans = windows.map(({ startMs, activity }) => framesSpan(0, activity.frames, startMs));
  const covered = joinTurns(spans.map((span) => ({ ...span, speaker: 0 })));
  return totalMs(spans) / totalMs(covered);
}

const totalMs = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + lengthMs(span), 0);

/** Frame by frame: a pause that smoothing closes is no speech at the same time. */
const sureOverlaps = (activity: LocalActivity): Region<number>[] =>
  overlapsOf(localTurns(activity.soft, { onset: SURE, offset: SURE, minOnMs: 0, minOffMs: 0 }));

/** The pairs of local speakers who speak at once for long enough. */
const simultaneous = (overlaps: readonly Region<number>[]): (readonly [number, number])[] =>
  LOCAL_PAIRS.filter(
    (pair) =>
      totalMs(overlaps.filter(({ speakers }) => pair.every((local) => speakers.includes(local)))) >=
      SIMULTANEOUS_MS,
  );

/** The label that shares the most time with a local speaker in other windows and is not taken in his own. */
function labelAround(
  turns: readonly (readonly SpeakerTurn<number>[])[],
  labels: readonly (readonly (number | null)[])[],
  window: number,
  local: number,
): number | null {
  const own = turns[window]!.filter(({ speaker }) => speaker === local);
  const shared = new Map<number, number>();
  for (let other = window - NEIGHBOURS; other <= window + NEIGHBOURS; other++) {
    for (const turn of turns[other] ?? []) {
      const label = labels[other]![turn.speaker] ?? null;
      const ms = own.reduce((sum, span) => sum + sharedMs(span, turn), 0);
      if (label === null || ms === 0 || labels[window]!.includes(label)) continue;
      shared.set(label, (shared.get(label) ?? 0) + ms);
    }
  }
  return [...shared].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? null;
}
