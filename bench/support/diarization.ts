import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, samplesToMs } from '@core/protocol/audio.ts';
import { clusterVoices, type ClusteringOptions } from '@core/speakers/clustering.ts';
import type { Voice } from '@core/speakers/embedding.ts';
import { decodePowerset, LOCAL_SPEAKERS, type LocalActivity } from '@core/speakers/powerset.ts';
import { voiceSpans, type DiarizationWindow } from '@core/speakers/stitching.ts';
import { timelineOf } from '@core/speakers/timeline.ts';
import { lengthMs, type Span, type SpeakerTurn } from '@core/speakers/turns.ts';
import { DEFAULT_GATE, Gate } from '@core/vad/gate.ts';
import type { DetectorModel } from '@workers/capture/vad-models.ts';
import type { TestInference } from '../../tests/support/inference.ts';

export const WINDOW_MS = 10_000;
const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** Which speech of a local speaker an embedding is made from. */
export interface VoiceChoice {
  /** Less is no voice, ms. */
  readonly minMs: number;
  /** More brings little and costs as much; the longest spans are taken first, ms. */
  readonly maxMs: number;
}

/** A window as the segmentation hears it, without voices. */
export type HeardWindow = Omit<DiarizationWindow, 'voices'>;

/** What was worked out, and the time it took. */
export interface Timed<Result> {
  readonly result: Result;
  readonly ms: number;
}

/** Windows of 10 s; the last ones may reach over the end, where silence is. */
export async function segmentRecording(
  inference: TestInference,
  samples: Float32Array,
  hopMs: number,
): Promise<Timed<HeardWindow[]>> {
  const windows: HeardWindow[] = [];
  let ms = 0;
  const endMs = samplesToMs(samples.length);
  for (let startMs = 0; startMs === 0 || startMs + WINDOW_MS - hopMs < endMs; startMs += hopMs) {
    const window = samples.slice(startMs * SAMPLES_PER_MS, (startMs + WINDOW_MS) * SAMPLES_PER_MS);
    const startedAt = performance.now();
    const activity = decodePowerset(await inference.segment(window));
    ms += performance.now() - startedAt;
    windows.push({ startMs, activity });
  }
  return { result: windows, ms };
}

/** One voice for each local speaker who says enough. */
export async function addVoices(
  inference: TestInference,
  samples: Float32Array,
  windows: readonly HeardWindow[],
  choice: VoiceChoice,
): Promise<Timed<DiarizationWindow[]>> {
  const complete: DiarizationWindow[] = [];
  const startedAt = performance.now();
  for (const window of windows) {
    const voices: (Voice | null)[] = [];
    for (let local = 0; local < LOCAL_SPEAKERS; local++) {
      const spans = spansOf(window.activity, local, choice);
      voices.push(await voiceOf(inference, samples, shifted(spans, window.startMs)));
    }
    complete.push({ ...window, voices });
  }
  return { result: complete, ms: performance.now() - startedAt };
}

function spansOf(activity: LocalActivity, local: number, { minMs, maxMs }: VoiceChoice): Span[] {
  let leftMs = maxMs;
  const taken: Span[] = [];
  for (const span of voiceSpans(activity, local, minMs).sort((a, b) => lengthMs(b) - lengthMs(a))) {
    if (leftMs <= 0) break;
    taken.push({ startMs: span.startMs, endMs: Math.min(span.endMs, span.startMs + leftMs) });
    leftMs -= lengthMs(span);
  }
  return taken.sort((a, b) => a.startMs - b.startMs);
}

const shifted = (spans: readonly Span[], byMs: number): Span[] =>
  spans.map(({ startMs, endMs }) => ({ startMs: startMs + byMs, endMs: endMs + byMs }));

/** Null for less than the half second that every embedding takes. */
async function voiceOf(
  inference: TestInference,
  samples: Float32Array,
  spans: readonly Span[],
): Promise<Voice | null> {
  const parts = spans.map(({ startMs, endMs }) =>
    samples.subarray(Math.round(startMs * SAMPLES_PER_MS), Math.round(endMs * SAMPLES_PER_MS)),
  );
  const speech = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (speech.set(part, at), at + part.length), 0);
  if (speech.length < SAMPLE_RATE_HZ / 2) return null;
  return { embedding: await inference.embed(speech), ms: samplesToMs(speech.length) };
}

/** Without segmentation: what the app's voice detector takes for one utterance is one speaker. */
export async function utterancesOf(
  inference: TestInference,
  detector: DetectorModel,
  samples: Float32Array,
): Promise<Timed<{ readonly spans: readonly Span[]; readonly voices: readonly Voice[] }>> {
  const gate = new Gate(DEFAULT_GATE);
  const hear = detector.newDetector();
  const spans: Span[] = [];
  const note = (events: ReturnType<Gate['step']>): void => {
    for (const event of events) {
      if (event.type !== 'end') continue;
      spans.push({ startMs: samplesToMs(event.utterance), endMs: samplesToMs(event.end) });
    }
  };
  for (let at = 0; at + BLOCK_SAMPLES <= samples.length; at += BLOCK_SAMPLES)
    note(gate.step(await hear.step(samples.slice(at, at + BLOCK_SAMPLES))));
  note(gate.close());

  const startedAt = performance.now();
  const kept: Span[] = [];
  const voices: Voice[] = [];
  for (const span of spans) {
    const voice = await voiceOf(inference, samples, [span]);
    if (!voice) continue;
    kept.push(span);
    voices.push(voice);
  }
  return { result: { spans: kept, voices }, ms: performance.now() - startedAt };
}

export const utteranceTurns = (
  { spans, voices }: { readonly spans: readonly Span[]; readonly voices: readonly Voice[] },
  options: ClusteringOptions,
): SpeakerTurn<number>[] =>
  clusterVoices(voices, [], options).labels.flatMap((speaker, index) =>
    speaker === null ? [] : [{ ...spans[index]!, speaker }],
  );

/**
 * The chain that the stand-ins' README measures: average linkage at a cosine distance of 0.60, every voice alike, nothing
 * kept apart, smoothed or left out.
 */
export function simpleChain(windows: readonly DiarizationWindow[]): SpeakerTurn<number>[] {
  const voices: Voice[] = [];
  const indices = windows.map((window) =>
    window.voices.map((voice) => (voice ? voices.push({ ...voice, ms: 1 }) - 1 : null)),
  );
  const { labels } = clusterVoices(voices, [], { threshold: 0.6, minClusterMs: 0 });
  return timelineOf(
    windows.map(({ startMs, activity }, window) => ({
      startMs,
      activity,
      labels: indices[window]!.map((index) => (index === null ? null : labels[index]!)),
    })),
    { minOnMs: 0, minOffMs: 0 },
  );
}
