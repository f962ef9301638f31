import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';

/** Room for most utterances without growing. */
const FIRST_CAPACITY = 8 * SAMPLE_RATE_HZ;

/** The samples of one utterance, from its start, growing as they arrive. */
export class UtteranceAudio {
  #samples = new Float32Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `at` counts from the utterance's start. Samples known already stay as they are; a gap is silent. */
  put(at: number, samples: Float32Array): void {
    const known = Math.max(0, this.#length - at);
    if (known >= samples.length) return;
    const end = at + samples.length;
    if (end > this.#samples.length) {
      const larger = new Float32Array(Math.max(end, 2 * this.#samples.length));
      larger.set(this.#samples.subarray(0, this.#length));
      this.#samples = larger;
    }
    this.#samples.set(samples.subarray(known), at + known);
    this.#length = end;
  }

  /** Drops what follows. */
  truncate(length: number): void {
    this.#samples.fill(0, length, this.#length);
    this.#length = Math.min(this.#length, length);
  }

  copy(): Float32Array {
    return this.#samples.slice(0, this.#length);
  }
}
