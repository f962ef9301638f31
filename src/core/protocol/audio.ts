import type { SampleIndex, SourceId } from './ids.ts';
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from './pcm.ts';

export { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from './pcm.ts';

export const BLOCK_MS = (BLOCK_SAMPLES * 1000) / SAMPLE_RATE_HZ;

export const samplesToMs = (samples: number): number => (samples * 1000) / SAMPLE_RATE_HZ;

/**
 * What a captured source is. A page source is live; a file is read as fast as the engine
 * follows and ranks behind live speech.
 */
export type SourceKind = 'microphone' | 'tab' | 'file';

/** Speech of one utterance begins: `utterance` is its first sample, pre-roll included. */
export interface SpeechStart {
  readonly type: 'speech-start';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
}

/**
 * The next samples of the utterance. Contiguous from `utterance` on. Samples that
 * were received before (after a change of the engine's owner) are ignored.
 */
export interface SpeechAudio {
  readonly type: 'speech-audio';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
  readonly start: SampleIndex;
  readonly samples: Float32Array<ArrayBuffer>;
}

/** The speaker has paused inside the utterance: it ends soon unless `speech-resume` follows. */
export interface SpeechPause {
  readonly type: 'speech-pause';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
  /** Sample after the last block that held speech. */
  readonly at: SampleIndex;
}

export interface SpeechResume {
  readonly type: 'speech-resume';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
}

/**
 * The utterance is complete. `end` may lie before the last sample sent (an utterance cut at its
 * maximum length ends at the best pause found): the engine drops what follows `end`, and the
 * next utterance sends it again.
 */
export interface SpeechEnd {
  readonly type: 'speech-end';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
  readonly end: SampleIndex;
  readonly reason: 'silence' | 'max-length' | 'source-end';
}

/** An utterance turned out too short to be speech: forget it. */
export interface SpeechCancel {
  readonly type: 'speech-cancel';
  readonly sourceId: SourceId;
  readonly utterance: SampleIndex;
}

/** How far a source's clock is, silence included. Sent about once a second and at its end. */
export interface SourceClock {
  readonly type: 'source-clock';
  readonly sourceId: SourceId;
  readonly captured: SampleIndex;
  readonly ended: boolean;
}

/** Capture worker → engine. */
export type SpeechMessage =
  SpeechStart | SpeechAudio | SpeechPause | SpeechResume | SpeechEnd | SpeechCancel | SourceClock;

/** Engine → capture worker: everything of this source up to `upTo` is final and stored. */
export interface SpeechAcknowledged {
  readonly type: 'acknowledged';
  readonly sourceId: SourceId;
  readonly upTo: SampleIndex;
}
