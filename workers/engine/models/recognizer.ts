import type { RecognizerId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import type { Hypothesis, RecognizeOptions } from '../inference-protocol.ts';

/** Speech recognition by one loaded model. Calls must not overlap. */
export interface Recognizer {
  readonly id: RecognizerId;
  /** Languages it can read; options for others are ignored. */
  readonly languages: readonly Language[];
  /**
   * Reads one utterance: mono 16 kHz in [-1, 1], at most {@link MAX_AUDIO_S} seconds.
   * Ends before its next model step once `signal` is aborted.
   *
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  recognize(audio: Float32Array, options: RecognizeOptions, signal: AbortSignal): Promise<Hypothesis>;
  dispose(): Promise<void>;
}

/** Whisper reads windows of 30 s; exactly 30 s is mishandled in some runtimes. */
export const MAX_AUDIO_S = 29;
