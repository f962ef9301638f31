import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, samplesToMs } from '@core/protocol/audio.ts';

/** Where speech begins and ends in a clip, ms from its first sample. */
export interface SpeechSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** A block counts as speech when it is at most this far below the clip's loudest block. */
const SPEECH_BELOW_PEAK_DB = 35;

/** First and last block of speech in a clean recording of one speaker, by energy: 32 ms steps. */
export function speechSpan(audio: Float32Array): SpeechSpan {
  const powers = Array.from({ length: Math.floor(audio.length / BLOCK_SAMPLES) }, (_, block) => {
    const samples = audio.subarray(block * BLOCK_SAMPLES, (block + 1) * BLOCK_SAMPLES);
    return samples.reduce((sum, sample) => sum + sample * sample, 0);
  });
  const least = Math.max(...powers) * 10 ** (-SPEECH_BELOW_PEAK_DB / 10);
  return {
    startMs: samplesToMs(powers.findIndex((power) => power >= least) * BLOCK_SAMPLES),
    endMs: samplesToMs((powers.findLastIndex((power) => power >= least) + 1) * BLOCK_SAMPLES),
  };
}

/** The audio with silence before and after, as it would stand in a meeting. */
export function padded(audio: Float32Array, leadMs: number, tailMs: number): Float32Array<ArrayBuffer> {
  const lead = Math.round((leadMs * SAMPLE_RATE_HZ) / 1000);
  const samples = new Float32Array(lead + audio.length + Math.round((tailMs * SAMPLE_RATE_HZ) / 1000));
  samples.set(audio, lead);
  return samples;
}

/**
 * Hands out the audio in blocks of 512 samples, each when a microphone would have filled it. A late timer
 * is made up for: the clock does not drift.
 *
 * @param onBlock gets each block (a copy) and its first sample's index
 * @param stop ends the playing early when it returns true
 * @returns `performance.now()` at the time of sample 0
 */
export async function playInRealTime(
  audio: Float32Array,
  onBlock: (samples: Float32Array<ArrayBuffer>, start: number) => void,
  stop: () => boolean = () => false,
): Promise<number> {
  const startedAt = performance.now();
  for (let start = 0; start + BLOCK_SAMPLES <= audio.length && !stop(); start += BLOCK_SAMPLES) {
    const dueAt = startedAt + samplesToMs(start + BLOCK_SAMPLES);
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    onBlock(audio.slice(start, start + BLOCK_SAMPLES), start);
  }
  return startedAt;
}

export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}
