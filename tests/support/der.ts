import { bestPairs } from '@core/speakers/assignment.ts';
import { joinTurns, lengthMs, regionsOf, type Span, type SpeakerTurn } from '@core/speakers/turns.ts';

/**
 * Diarization error rate as NIST's md-eval defines it: speaker time that is missed, falsely found or given to the wrong
 * speaker, over the reference's speaker time. Overlapped speech counts once per speaker; speakers are paired so that they
 * share the most scored time.
 */
export interface DiarizationScore {
  /** Speaker time, ms. */
  readonly missedMs: number;
  readonly falseAlarmMs: number;
  readonly confusedMs: number;
  /** Speaker time of the reference that was scored, ms. */
  readonly totalMs: number;
  readonly referenceSpeakers: number;
  /** Speakers of the hypothesis, those who never speak in scored time included. */
  readonly foundSpeakers: number;
}

export interface ScoringOptions {
  /** Not scored before and after each beginning and end of a turn of the reference: 0, or 250 for the forgiving figure. */
  readonly collarMs?: number;
  /** What is scored; without it, from the first to the last turn of either side. */
  readonly region?: Span;
}

/** Compares who spoke when with the truth. Names need not agree. */
export function scoreDiarization<Reference, Found>(
  reference: readonly SpeakerTurn<Reference>[],
  found: readonly SpeakerTurn<Found>[],
  { collarMs = 0, region }: ScoringOptions = {},
): DiarizationScore {
  const truth = joinTurns(reference);
  const referenceNames = [...new Set(truth.map(({ speaker }) => speaker))];
  const foundNames = [...new Set(joinTurns(found).map(({ speaker }) => speaker))];
  const collars = truth.flatMap(({ startMs, endMs }) =>
    [startMs, endMs].map((atMs): Span => ({ startMs: atMs - collarMs, endMs: atMs + collarMs })),
  );
  const all = [
    ...truth.map((turn) => ({ ...turn, speaker: referenceNames.indexOf(turn.speaker) })),
    ...found.map((turn) => ({ ...turn, speaker: -1 - foundNames.indexOf(turn.speaker) })),
  ];
  const edges = [...collars, ...(region ? [region] : [])].flatMap(({ startMs, endMs }) => [startMs, endMs]);
  const scored = cutAt(
    regionsOf(all),
    [...new Set(edges)].sort((a, b) => a - b),
  )
    .filter((span) => !collars.some((collar) => within(span, collar)))
    .filter((span) => region === undefined || within(span, region))
    .map((span) => ({
      ms: lengthMs(span),
      truth: span.speakers.filter((speaker) => speaker >= 0),
      found: span.speakers.filter((speaker) => speaker < 0).map((speaker) => -1 - speaker),
    }));

  const shared = referenceNames.map(() => foundNames.map(() => 0));
  for (const { ms, truth: who, found: whom } of scored)
    for (const a of who) for (const b of whom) shared[a]![b]! += ms;
  const pairs = bestPairs(shared);

  const score = { missedMs: 0, falseAlarmMs: 0, confusedMs: 0, totalMs: 0 };
  for (const { ms, truth: who, found: whom } of scored) {
    const right = who.filter((speaker) => whom.includes(pairs[speaker]!)).length;
    score.totalMs += ms * who.length;
    score.missedMs += ms * Math.max(0, who.length - whom.length);
    score.falseAlarmMs += ms * Math.max(0, whom.length - who.length);
    score.confusedMs += ms * (Math.min(who.length, whom.length) - right);
  }
  return { ...score, referenceSpeakers: referenceNames.length, foundSpeakers: foundNames.length };
}

const cutAt = <Part extends Span>(parts: readonly Part[], edges: readonly number[]): Part[] =>
  parts.flatMap((part) => {
    const inside = edges.filter((atMs) => atMs > part.startMs && atMs < part.endMs);
    const bounds = [part.startMs, ...inside, part.endMs];
    return bounds.slice(1).map((endMs, index) => ({ ...part, startMs: bounds[index]!, endMs }));
  });

const within = (inner: Span, outer: Span): boolean =>
  inner.startMs >= outer.startMs && inner.endMs <= outer.endMs;

/** In percent of the reference's speaker time; above 100 is possible. */
export function derPercent({ missedMs, falseAlarmMs, confusedMs, totalMs }: DiarizationScore): number {
  const errorMs = missedMs + falseAlarmMs + confusedMs;
  return errorMs === 0 ? 0 : (100 * errorMs) / totalMs;
}

/** Speakers found too many; negative for too few. */
export const speakerCountError = ({ foundSpeakers, referenceSpeakers }: DiarizationScore): number =>
  foundSpeakers - referenceSpeakers;

/** The scores of several recordings together: times are added, so that a long one weighs more. */
export const totalDiarization = (scores: readonly DiarizationScore[]): DiarizationScore =>
  scores.reduce((sum, one) => ({
    missedMs: sum.missedMs + one.missedMs,
    falseAlarmMs: sum.falseAlarmMs + one.falseAlarmMs,
    confusedMs: sum.confusedMs + one.confusedMs,
    totalMs: sum.totalMs + one.totalMs,
    referenceSpeakers: sum.referenceSpeakers + one.referenceSpeakers,
    foundSpeakers: sum.foundSpeakers + one.foundSpeakers,
  }));
