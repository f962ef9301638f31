import { FRAME_MS, framesSpan, LOCAL_SPEAKERS, type LocalActivity } from './powerset.ts';
import { smoothTurns, type Durations, type SpeakerTurn } from './turns.ts';

export interface LabelledWindow {
  /** On the recording's clock, ms. */
  readonly startMs: number;
  readonly activity: LocalActivity;
  /** By local speaker; null where he is nobody known. */
  readonly labels: readonly (number | null)[];
}

/** The powerset knows no three at once. */
const MAX_AT_ONCE = 2;

/**
 * The windows' opinions as one timeline (overlap-add; Bredin and Laurent 2021, Coria et al. 2021): in each frame the
 * windows say how many speak, and the most probable so many do, two at the most. A window counts less towards its edges,
 * where it knows only one side of what is said (Hamming window).
 */
export function timelineOf(windows: readonly LabelledWindow[], durations: Durations): SpeakerTurn<number>[] {
  const speakers = 1 + Math.max(-1, ...windows.flatMap(({ labels }) => labels.map((label) => label ?? -1)));
  const firstMs = Math.min(...windows.map(({ startMs }) => startMs));
  const offsets = windows.map(({ startMs }) => Math.round((startMs - firstMs) / FRAME_MS));
  const frames = Math.max(0, ...windows.map(({ activity }, index) => offsets[index]! + activity.frames));

  const probabilities = new Float32Array(frames * speakers);
  const active = new Float32Array(frames);
  const weights = new Float32Array(frames);
  windows.forEach(({ activity, labels }, index) => {
    for (let local = 0; local < activity.frames; local++) {
      const frame = offsets[index]! + local;
      const weight = hamming(local, activity.frames);
      weights[frame]! += weight;
      for (const label of new Set(labels)) {
        if (label === null) continue;
        const { soft, hard } = strongest(activity, labels, label, local);
        probabilities[frame * speakers + label]! += weight * soft;
        active[frame]! += weight * hard;
      }
    }
  });

  const turns: SpeakerTurn<number>[] = [];
  const since = Array.from({ length: speakers }, () => -1);
  for (let frame = 0; frame <= frames; frame++) {
    const speaking =
      frame === frames
        ? []
        : likeliest(probabilities, frame * speakers, speakers, active[frame]! / weights[frame]!);
    for (let speaker = 0; speaker < speakers; speaker++) {
      const from = since[speaker]!;
      const speaks = speaking.includes(speaker);
      if (speaks && from < 0) since[speaker] = frame;
      if (speaks || from < 0) continue;
      turns.push({ ...framesSpan(from, frame, firstMs), speaker });
      since[speaker] = -1;
    }
  }
  return smoothTurns(turns, durations);
}

/** One speaker whom the window took for two speaks when either does. */
function strongest(
  { hard, soft }: LocalActivity,
  labels: readonly (number | null)[],
  label: number,
  frame: number,
): { hard: number; soft: number } {
  const most = { hard: 0, soft: 0 };
  labels.forEach((own, local) => {
    if (own !== label) return;
    most.hard = Math.max(most.hard, hard[frame * LOCAL_SPEAKERS + local]!);
    most.soft = Math.max(most.soft, soft[frame * LOCAL_SPEAKERS + local]!);
  });
  return most;
}

/** The `count` most probable speakers of a frame, rounded; the lower label where two are equal. */
function likeliest(probabilities: Float32Array, at: number, speakers: number, count: number): number[] {
  const chosen: number[] = [];
  // A frame that no window covers has no count.
  for (let left = Math.min(MAX_AT_ONCE, Math.round(count || 0)); left > 0; left--) {
    let best = -1;
    for (let speaker = 0; speaker < speakers; speaker++) {
      if (probabilities[at + speaker] === 0 || chosen.includes(speaker)) continue;
      if (best < 0 || probabilities[at + speaker]! > probabilities[at + best]!) best = speaker;
    }
    if (best >= 0) chosen.push(best);
  }
  return chosen;
}

const hamming = (frame: number, frames: number): number =>
  frames > 1 ? 0.54 - 0.46 * Math.cos((2 * Math.PI * frame) / (frames - 1)) : 1;
