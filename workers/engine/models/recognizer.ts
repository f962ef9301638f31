import type { RecognizerId } from '@core/protocol/engine.ts';
import { alignPrefix } from '@core/transcript/alignment.ts';
import type { Language, Word } from '@core/transcript/types.ts';
import type { Hypothesis, RecognizeOptions, SpokenContext } from '../inference-protocol.ts';

/** Speech recognition by one loaded model. Calls must not overlap. */
export interface Recognizer {
  readonly id: RecognizerId;
  /** Languages it can read; options for others are ignored. */
  readonly languages: readonly Language[];
  /**
   * Reads one utterance: mono 16 kHz in [-1, 1], with its context at most {@link MAX_AUDIO_S} seconds.
   * Ends before its next model step once `signal` is aborted.
   *
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  recognize(audio: Float32Array, options: RecognizeOptions, signal: AbortSignal): Promise<Hypothesis>;
  dispose(): Promise<void>;
}

/** Whisper reads windows of 30 s; exactly 30 s is mishandled in some runtimes. */
export const MAX_AUDIO_S = 29;

/** The context's audio and then the utterance's. */
export function withContext(audio: Float32Array, context: SpokenContext | null | undefined): Float32Array {
  if (!context) return audio;
  const whole = new Float32Array(context.audio.length + audio.length);
  whole.set(context.audio);
  whole.set(audio, context.audio.length);
  return whole;
}

/**
 * How many of the words read from context and utterance together belong to the context: those that match
 * its words best. The decoder is not told the context's words: forced to begin with them, Whisper tiny
 * often ends right behind them, where on its own it goes on.
 */
export const wordsOfContext = (
  words: readonly Pick<Word, 'text'>[],
  context: SpokenContext | null | undefined,
): number => (context ? alignPrefix(context.words, words).prefixLength : 0);
