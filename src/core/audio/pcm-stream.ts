import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from '../protocol/pcm.ts';
import { Resampler } from './resample.ts';

export interface BlockSink {
  /** An empty block of 512 samples, which the stream owns until it is emitted. */
  take(): Float32Array<ArrayBuffer>;
  /**
   * A full block, whose first sample is `start` on the stream's 16 kHz clock. Only the last block
   * can hold fewer than 512 `samples` of the stream: the rest is silence.
   */
  emit(block: Float32Array<ArrayBuffer>, start: number, samples: number): void;
}

/**
 * Channels at any rate to mono blocks of 512 samples at 16 kHz. Runs on the audio thread and in the
 * capture worker; after construction it allocates nothing itself.
 */
export class PcmStream {
  readonly #sink: BlockSink;
  readonly #mono: Float32Array;
  #rateHz: number;
  #resampler: Resampler | null = null;
  #resampled = new Float32Array(0);
  #block: Float32Array<ArrayBuffer> | null = null;
  #inBlock = 0;
  #start = 0;

  /** `maxFrames` is the most that one {@link push} will bring. */
  constructor(inputRateHz: number, maxFrames: number, sink: BlockSink) {
    this.#sink = sink;
    this.#mono = new Float32Array(maxFrames);
    this.#rateHz = SAMPLE_RATE_HZ;
    this.setRate(inputRateHz);
  }

  /** The rate of what is pushed from now on. Allocates when it changes: not for the audio thread. */
  setRate(inputRateHz: number): void {
    if (inputRateHz === this.#rateHz) return;
    this.#flushResampler();
    this.#rateHz = inputRateHz;
    this.#resampler = inputRateHz === SAMPLE_RATE_HZ ? null : new Resampler(inputRateHz, this.#mono.length);
    this.#resampled = new Float32Array(this.#resampler?.maxOutputSamples ?? 0);
  }

  /** Samples emitted or waiting in the open block. */
  get samples(): number {
    return this.#start + this.#inBlock;
  }

  /** The mean of `channels`, of `frames` samples each; no channel is silence. */
  push(channels: readonly Float32Array[], frames: number): void {
    const mono = this.#mono;
    const first = channels[0];
    if (channels.length === 1 && first) {
      for (let i = 0; i < frames; i++) mono[i] = first[i]!;
    } else {
      mono.fill(0, 0, frames);
      const gain = 1 / channels.length;
      for (let c = 0; c < channels.length; c++) {
        const channel = channels[c]!;
        for (let i = 0; i < frames; i++) mono[i] = mono[i]! + gain * channel[i]!;
      }
    }
    if (!this.#resampler) this.#frame(mono, frames);
    else this.#frame(this.#resampled, this.#resampler.process(mono, frames, this.#resampled));
  }

  /** Emits what is left, the last block filled up with silence. */
  end(): void {
    this.#flushResampler();
    if (!this.#block || this.#inBlock === 0) return;
    this.#block.fill(0, this.#inBlock);
    this.#sink.emit(this.#block, this.#start, this.#inBlock);
    this.#start += this.#inBlock;
    this.#block = null;
    this.#inBlock = 0;
  }

  #flushResampler(): void {
    if (this.#resampler) this.#frame(this.#resampled, this.#resampler.flush(this.#resampled));
  }

  #frame(samples: Float32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const block = (this.#block ??= this.#sink.take());
      block[this.#inBlock++] = samples[i]!;
      if (this.#inBlock < BLOCK_SAMPLES) continue;
      this.#sink.emit(block, this.#start, BLOCK_SAMPLES);
      this.#start += BLOCK_SAMPLES;
      this.#block = null;
      this.#inBlock = 0;
    }
  }
}
