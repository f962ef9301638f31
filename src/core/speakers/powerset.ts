import { UnisonoError } from '../protocol/errors.ts';
import { smoothTurns, type Durations, type Span, type SpeakerTurn } from './turns.ts';

/**
 * What pyannote's segmentation 3.0 says of a window of 10 s (Plaquet and Bredin 2023, "Powerset multi-class cross
 * entropy loss for neural speaker diarization"): per frame one class for each set of up to two of three local
 * speakers. Which local speaker is whom differs from window to window.
 */

/** Local speakers of a window, 0, 1, 2. */
export const LOCAL_SPEAKERS = 3;

/** The local speakers of each class, in the model's order. */
const CLASSES: readonly (readonly number[])[] = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]];

const SAMPLES_PER_MS = 16;
const FRAME_STEP_SAMPLES = 270;
/** Frame i is centred at sample 270 i + 495.5; half a step before it begins its share of the time. */
const FIRST_FRAME_START_SAMPLES = 495.5 - FRAME_STEP_SAMPLES / 2;

/** Time from one frame to the next, ms. */
export const FRAME_MS = FRAME_STEP_SAMPLES / SAMPLES_PER_MS;
/** Where the first frame's share of the time begins, ms from the window's first sample. */
export const FIRST_FRAME_MS = FIRST_FRAME_START_SAMPLES / SAMPLES_PER_MS;

/** Who speaks in each frame of a window. Both arrays are frames × {@link LOCAL_SPEAKERS}, frame after frame. */
export interface LocalActivity {
  readonly frames: number;
  /** 1 where the speaker is in the most probable class. */
  readonly hard: Uint8Array;
  /** Probability that the speaker speaks: the sum over the classes he is in. */
  readonly soft: Float32Array;
}

/**
 * @param logProbabilities frames × 7 natural logarithms, frame after frame; 589 frames for 160,000 samples.
 * @throws UnisonoError `model-failed` where the length is no multiple of 7.
 */
export function decodePowerset(logProbabilities: Float32Array): LocalActivity {
  const frames = logProbabilities.length / CLASSES.length;
  if (!Number.isInteger(frames)) {
    throw new UnisonoError('model-failed', `${logProbabilities.length} values are no frames of 7 classes`);
  }
  const hard = new Uint8Array(frames * LOCAL_SPEAKERS);
  const soft = new Float32Array(frames * LOCAL_SPEAKERS);
  for (let frame = 0; frame < frames; frame++) {
    const classAt = frame * CLASSES.length;
    const speakerAt = frame * LOCAL_SPEAKERS;
    let best = 0;
    CLASSES.forEach((speakers, index) => {
      const value = logProbabilities[classAt + index]!;
      if (value > logProbabilities[classAt + best]!) best = index;
      for (const speaker of speakers) soft[speakerAt + speaker]! += Math.exp(value);
    });
    for (const speaker of CLASSES[best]!) hard[speakerAt + speaker] = 1;
  }
  return { frames, hard, soft };
}

/** From when a score counts as speech, and until when it still does; 0.5 and 0.5 is the most probable. */
export interface Smoothing extends Durations {
  readonly onset: number;
  readonly offset: number;
}

/** A backchannel takes 200 ms; what is shorter than half of it is a click of the model. */
export const DEFAULT_SMOOTHING: Smoothing = { onset: 0.5, offset: 0.5, minOnMs: 100, minOffMs: 200 };

/**
 * The turns of a window's local speakers, which may overlap.
 * @param scores `hard` or `soft` of a {@link LocalActivity}.
 * @param windowStartMs where the window begins on the clock of the result, ms.
 */
export function localTurns(
  scores: Uint8Array | Float32Array,
  smoothing: Smoothing = DEFAULT_SMOOTHING,
  windowStartMs = 0,
): SpeakerTurn<number>[] {
  const frames = scores.length / LOCAL_SPEAKERS;
  const turns = Array.from({ length: LOCAL_SPEAKERS }, (_, speaker) =>
    runsOf(frames, (frame) => scores[frame * LOCAL_SPEAKERS + speaker]!, smoothing).map(([from, to]) => ({
      ...framesSpan(from, to, windowStartMs),
      speaker,
    })),
  );
  return smoothTurns(turns.flat(), smoothing);
}

/** The time of the frames [from, to), on the clock on which their window begins at `windowStartMs`. */
export const framesSpan = (from: number, to: number, windowStartMs: number): Span => ({
  startMs: windowStartMs + FIRST_FRAME_MS + from * FRAME_MS,
  endMs: windowStartMs + FIRST_FRAME_MS + to * FRAME_MS,
});

/** [from, to) of the runs that begin at `onset` or more and last until the score is under `offset`. */
function runsOf(
  frames: number,
  score: (frame: number) => number,
  { onset, offset }: Pick<Smoothing, 'onset' | 'offset'>,
): [from: number, to: number][] {
  const runs: [number, number][] = [];
  let from = -1;
  for (let frame = 0; frame < frames; frame++) {
    if (from < 0 && score(frame) >= onset) from = frame;
    else if (from >= 0 && score(frame) < offset) {
      runs.push([from, frame]);
      from = -1;
    }
  }
  if (from >= 0) runs.push([from, frames]);
  return runs;
}
