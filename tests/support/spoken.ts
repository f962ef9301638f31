import { BLOCK_SAMPLES } from '@core/protocol/audio.ts';

/**
 * Speech that can be counted: a spoken block is 512 samples of one value, which is the block's number on its
 * source. Silence is 0. What a recognizer hears of it is how many samples there are of each number.
 */
export const spokenBlock = (number: number): Float32Array =>
  new Float32Array(BLOCK_SAMPLES).fill(number / 0x8000);

export const silentBlock = new Float32Array(BLOCK_SAMPLES);

/** The text of the audio: `5×512 6×512` for the fifth and the sixth block. */
export function heard(audio: Float32Array): string {
  const counts: string[] = [];
  for (let at = 0; at < audio.length;) {
    const value = audio[at]!;
    let end = at;
    while (end < audio.length && audio[end] === value) end += 1;
    if (value !== 0) counts.push(`${Math.round(value * 0x8000)}×${end - at}`);
    at = end;
  }
  return counts.join(' ');
}

/** Adds up the samples of each block in texts of {@link heard}. */
export function samplesIn(texts: Iterable<string>): Map<number, number> {
  const samples = new Map<number, number>();
  for (const text of texts) {
    for (const count of text.split(' ')) {
      const [number = 0, length = 0] = count.split('×').map(Number);
      if (length > 0) samples.set(number, (samples.get(number) ?? 0) + length);
    }
  }
  return samples;
}
