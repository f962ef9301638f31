import type { Word } from '@core/transcript/types.ts';
import type { TokenWord } from './words.ts';

/** One frame of Whisper's encoder. */
export const FRAME_MS = 20;

const PUNCTUATION_END = /\p{P}$/u;
/** A word's longest believable duration, as a multiple of the median and at most so many ms. */
const LONGEST_PER_MEDIAN = 2;
const MEDIAN_CAP_MS = 700;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * Words with times from the start of the audio.
 *
 * A pause goes to a word beside it in the alignment, so a word longer than twice the median is cut to
 * that: its end where punctuation tells of a pause behind it, else its start. (OpenAI's Whisper does
 * so at sentence borders only: whisper/timing.py, add_word_timestamps.)
 *
 * @param frames frame at which each token begins and, last, where the text ends; null = no times
 */
export function timedWords(
  words: readonly TokenWord[],
  frames: readonly number[] | null,
  audioMs: number,
): Word[] {
  if (frames === null) return words.map(({ text }) => ({ text, startMs: null, endMs: null }));
  const timeOf = (token: number) => Math.min(audioMs, (frames[token] ?? Infinity) * FRAME_MS);
  const spans = words.map((word) => ({ startMs: timeOf(word.firstToken), endMs: timeOf(word.endToken) }));
  const durations = spans.map(({ startMs, endMs }) => endMs - startMs).filter((duration) => duration > 0);
  const longestMs = LONGEST_PER_MEDIAN * Math.min(MEDIAN_CAP_MS, median(durations));
  return words.map(({ text }, index) => {
    const { startMs, endMs } = spans[index]!;
    if (longestMs === 0 || endMs - startMs <= longestMs) return { text, startMs, endMs };
    return PUNCTUATION_END.test(text)
      ? { text, startMs, endMs: startMs + longestMs }
      : { text, startMs: endMs - longestMs, endMs };
  });
}
