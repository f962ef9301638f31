/** The last `capacity` samples of a stream, addressed by their index since its start. One thread. */
export class SampleRing {
  readonly #samples: Float32Array;
  #written = 0;

  constructor(capacity: number) {
    this.#samples = new Float32Array(capacity);
  }

  /** Index after the last sample written. */
  get end(): number {
    return this.#written;
  }

  write(samples: Float32Array): void {
    const at = this.#written % this.#samples.length;
    const first = Math.min(samples.length, this.#samples.length - at);
    this.#samples.set(samples.subarray(0, first), at);
    this.#samples.set(samples.subarray(first), 0);
    this.#written += samples.length;
  }

  /**
   * A copy of [start, end).
   * @throws RangeError when some of it has been overwritten or is yet to come.
   */
  read(start: number, end: number): Float32Array<ArrayBuffer> {
    const capacity = this.#samples.length;
    if (start < this.#written - capacity || start > end || end > this.#written)
      throw new RangeError(
        `samples ${start} to ${end} are not held: the last ${capacity} before ${this.#written} are`,
      );
    const copy = new Float32Array(end - start);
    const at = start % capacity;
    const first = this.#samples.subarray(at, Math.min(capacity, at + copy.length));
    copy.set(first);
    copy.set(this.#samples.subarray(0, copy.length - first.length), first.length);
    return copy;
  }
}
