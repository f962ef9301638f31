import type { SpeakerId } from '../protocol/ids.ts';

/** [startMs, endMs) on one clock, ms. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Somebody speaks without a pause worth mentioning. Turns of different speakers may overlap. */
export interface SpeakerTurn<Speaker = SpeakerId> extends Span {
  readonly speaker: Speaker;
}

/** A stretch in which nobody begins or ends, and who speaks in it: at least one, in the order they began. */
export interface Region<Speaker = SpeakerId> extends Span {
  readonly speakers: readonly Speaker[];
}

/** How long a turn must be to be one, and a pause to be one, ms. */
export interface Durations {
  readonly minOnMs: number;
  readonly minOffMs: number;
}

/**
 * How many people speak, where a person knows it: `exactly` also asks for as many where the voices differ too
 * little to be told apart otherwise.
 */
export type SpeakerCount = { readonly exactly: number } | { readonly atMost: number };

/** The most speakers that a count allows; without one, any number. */
export const mostSpeakers = (count: SpeakerCount | undefined): number =>
  count === undefined ? Infinity : 'exactly' in count ? count.exactly : count.atMost;

export const sharedMs = (a: Span, b: Span): number =>
  Math.max(0, Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs));

export const lengthMs = ({ startMs, endMs }: Span): number => endMs - startMs;

const byStart = (a: Span, b: Span): number => a.startMs - b.startMs || a.endMs - b.endMs;

/** One speaker's turns become one where no more than `maxGapMs` lie between them. In the order of their start. */
export function joinTurns<Speaker>(
  turns: readonly SpeakerTurn<Speaker>[],
  maxGapMs = 0,
): SpeakerTurn<Speaker>[] {
  const joined: SpeakerTurn<Speaker>[] = [];
  const last = new Map<Speaker, number>();
  for (const turn of turns.toSorted(byStart)) {
    if (turn.endMs <= turn.startMs) continue;
    const at = last.get(turn.speaker);
    const before = at === undefined ? undefined : joined[at];
    if (at !== undefined && before && turn.startMs - before.endMs <= maxGapMs) {
      joined[at] = { ...before, endMs: Math.max(before.endMs, turn.endMs) };
    } else {
      last.set(turn.speaker, joined.length);
      joined.push(turn);
    }
  }
  return joined;
}

/** First closes short pauses, then drops what is still short: the order of pyannote.audio's `Binarize`. */
export const smoothTurns = <Speaker>(
  turns: readonly SpeakerTurn<Speaker>[],
  { minOnMs, minOffMs }: Durations,
): SpeakerTurn<Speaker>[] => joinTurns(turns, minOffMs).filter((turn) => lengthMs(turn) >= minOnMs);

/** Cuts the time at every beginning and end of a turn. Silence is left out. */
export function regionsOf<Speaker>(turns: readonly SpeakerTurn<Speaker>[]): Region<Speaker>[] {
  const edges = joinTurns(turns).flatMap(({ startMs, endMs, speaker }) => [
    { atMs: startMs, speaker, begins: true },
    { atMs: endMs, speaker, begins: false },
  ]);
  edges.sort((a, b) => a.atMs - b.atMs);
  const regions: Region<Speaker>[] = [];
  const speaking = new Set<Speaker>();
  let startMs = 0;
  for (const { atMs, speaker, begins } of edges) {
    if (speaking.size > 0 && atMs > startMs) regions.push({ startMs, endMs: atMs, speakers: [...speaking] });
    if (begins) speaking.add(speaker);
    else speaking.delete(speaker);
    startMs = atMs;
  }
  return regions;
}

/** The parts of the turns in which nobody else speaks. */
export const aloneIn = <Speaker>(turns: readonly SpeakerTurn<Speaker>[]): SpeakerTurn<Speaker>[] =>
  joinTurns(
    regionsOf(turns).flatMap(({ startMs, endMs, speakers }) =>
      speakers.length === 1 ? [{ startMs, endMs, speaker: speakers[0]! }] : [],
    ),
  );

/** Where several speak at once. */
export const overlapsOf = <Speaker>(turns: readonly SpeakerTurn<Speaker>[]): Region<Speaker>[] =>
  regionsOf(turns).filter(({ speakers }) => speakers.length > 1);

/** Time per speaker, ms. Overlapping turns of one speaker count once. */
export function msBySpeaker<Speaker>(turns: readonly SpeakerTurn<Speaker>[]): Map<Speaker, number> {
  const ms = new Map<Speaker, number>();
  for (const turn of joinTurns(turns)) ms.set(turn.speaker, (ms.get(turn.speaker) ?? 0) + lengthMs(turn));
  return ms;
}
