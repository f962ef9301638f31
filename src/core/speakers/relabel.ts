import { speakerId, type SpeakerId } from '../protocol/ids.ts';
import { bestPairs } from './assignment.ts';
import { joinTurns, lengthMs, msBySpeaker, sharedMs, type SpeakerTurn } from './turns.ts';

export interface Relabelled {
  readonly turns: readonly SpeakerTurn[];
  /** The speaker of each cluster. */
  readonly speakers: ReadonlyMap<number, SpeakerId>;
  /** For the next new speaker: higher than every id given. */
  readonly nextId: number;
}

/** Part of the shorter one's time that a cluster and a speaker must share to be the same person. */
const LEAST_SHARE = 0.2;
/** What a person has said counts as much as this much time that was labelled by voice. */
const LOCKED_WEIGHT = 10;

/**
 * Gives the clusters of a new pass the speakers they had before, so that names stay: the pairing that shares the most
 * time. Clusters without a counterpart are new speakers.
 * @param clusters turns of the new pass; speakers are labels without meaning.
 * @param before what was shown until now.
 * @param locked what a person has corrected: these spans stay exactly so, whoever else the new pass hears in them.
 * @param nextId of the next new speaker.
 */
export function relabel(
  clusters: readonly SpeakerTurn<number>[],
  before: readonly SpeakerTurn[],
  locked: readonly SpeakerTurn[],
  nextId: number,
): Relabelled {
  const oldTurns = [...outside(before, locked), ...joinTurns(locked)];
  const labels = [...msBySpeaker(clusters).keys()];
  const oldIds = [...new Set(oldTurns.map(({ speaker }) => speaker))].sort((a, b) => a - b);
  const newMs = msBySpeaker(clusters);
  const oldMs = msBySpeaker(oldTurns);
  const shared = labels.map((label) =>
    oldIds.map((id) => {
      const own = clusters.filter(({ speaker }) => speaker === label);
      const of = (turns: readonly SpeakerTurn[]): number => sharedBy(own, turns, id);
      const least = LEAST_SHARE * Math.min(newMs.get(label)!, oldMs.get(id)!);
      const [all, fixed] = [of(oldTurns), of(locked)];
      return all < least ? 0 : all + (LOCKED_WEIGHT - 1) * fixed;
    }),
  );
  let next = Math.max(nextId, ...oldIds.map((id) => id + 1));
  const speakers = new Map(
    bestPairs(shared).map((column, row): [number, SpeakerId] => [
      labels[row]!,
      oldIds[column] ?? speakerId(next++),
    ]),
  );
  const renamed = clusters.map((turn) => ({ ...turn, speaker: speakers.get(turn.speaker)! }));
  return { turns: joinTurns([...outside(renamed, locked), ...locked]), speakers, nextId: next };
}

const sharedBy = (
  own: readonly SpeakerTurn<number>[],
  turns: readonly SpeakerTurn[],
  id: SpeakerId,
): number =>
  turns
    .filter(({ speaker }) => speaker === id)
    .reduce((sum, turn) => sum + own.reduce((part, span) => part + sharedMs(span, turn), 0), 0);

/** The parts of the turns that lie in none of the spans. */
function outside(turns: readonly SpeakerTurn[], spans: readonly SpeakerTurn[]): SpeakerTurn[] {
  return spans
    .reduce<readonly SpeakerTurn[]>(
      (left, span) =>
        left.flatMap((turn) =>
          sharedMs(turn, span) === 0
            ? [turn]
            : [
                { ...turn, endMs: span.startMs },
                { ...turn, startMs: span.endMs },
              ],
        ),
      turns,
    )
    .filter((turn) => lengthMs(turn) > 0);
}
