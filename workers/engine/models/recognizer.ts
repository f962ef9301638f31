import type { RecognizerId } from '@core/protocol/engine.ts';
import { alignPrefix, sameWord } from '@core/transcript/alignment.ts';
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

/** Share of the context's words that must be found again for what follows them to be trusted. */
const RECOGNIZED_SHARE = 0.6;

/**
 * How many of the words read from context and utterance together belong to the context: those that match its
 * words and did not begin after it, or where too few match, those said before its end. The decoder is not told the context's words: forced to
 * begin with them, Whisper tiny often ends right behind them, where on its own it goes on.
 *
 * @param contextMs length of the context's audio
 * @returns null when the context's words are not found and the words have no times
 */
export function wordsOfContext(
  words: readonly Word[],
  contextMs: number,
  context: SpokenContext | null | undefined,
): number | null {
  if (!context) return 0;
  const { prefixLength, counterparts } = alignPrefix(context.words, words);
  const found = counterparts.filter(
    (index, at) => index !== null && sameWord(words[index], context.words[at]),
  );
  if (found.length >= RECOGNIZED_SHARE * context.words.length) {
    const beganLater = words
      .slice(0, prefixLength)
      .findIndex(({ startMs }) => startMs !== null && startMs >= contextMs);
    return beganLater < 0 ? prefixLength : beganLater;
  }
  if (words.some(({ startMs, endMs }) => startMs === null || endMs === null)) return null;
  const later = words.findIndex(({ startMs, endMs }) => ((startMs ?? 0) + (endMs ?? 0)) / 2 >= contextMs);
  return later < 0 ? words.length : later;
}
