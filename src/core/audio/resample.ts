import { SAMPLE_RATE_HZ } from '../protocol/pcm.ts';

/** Below the passband's level, in everything that would fold into speech. */
const STOPBAND_DB = 80;

/** Share of the lower Nyquist frequency given to the transition: at 48 kHz, 7 to 8 kHz. */
const TRANSITION = 1 / 8;

/** Modified Bessel function of the first kind, order 0 (power series). */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/**
 * The filter, one row of `taps` coefficients per phase: Kaiser-windowed sinc, each row scaled to
 * a gain of one at 0 Hz.
 */
function designBank(inputRateHz: number, phases: number): { bank: Float32Array; taps: number } {
  const nyquistHz = Math.min(inputRateHz, SAMPLE_RATE_HZ) / 2;
  const cutoff = (nyquistHz * (1 - TRANSITION / 2)) / inputRateHz;
  // Kaiser's own estimates of length and shape from attenuation and transition width.
  const transitionRadians = (2 * Math.PI * nyquistHz * TRANSITION) / inputRateHz;
  const half = Math.ceil((STOPBAND_DB - 7.95) / (2.285 * transitionRadians) / 2);
  const beta = 0.1102 * (STOPBAND_DB - 8.7);
  const taps = 2 * half;
  const bank = new Float32Array(phases * taps);
  const row = new Float64Array(taps);
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = half - 1 - tap + phase / phases;
      const angle = 2 * Math.PI * cutoff * distance;
      const sinc = distance === 0 ? 1 : Math.sin(angle) / angle;
      const window = bessel0(beta * Math.sqrt(Math.max(0, 1 - (distance / half) ** 2)));
      sum += row[tap] = sinc * window;
    }
    for (let tap = 0; tap < taps; tap++) bank[phase * taps + tap] = (row[tap] ?? 0) / sum;
  }
  return { bank, taps };
}

/**
 * Any rate to 16 kHz, as a stream. Polyphase windowed sinc: passband to 7/8 of the lower Nyquist
 * frequency, 80 dB down from there. Output sample n is the input at n / 16000 s, without delay;
 * the samples the filter must wait for come with the next call or with {@link flush}.
 *
 * Everything is allocated in the constructor: {@link process} may run on the audio thread.
 */
export class Resampler {
  /** The most samples one call of {@link process} or {@link flush} can give. */
  readonly maxOutputSamples: number;
  readonly #maxInputSamples: number;
  readonly #phases: number;
  readonly #step: number;
  readonly #bank: Float32Array;
  readonly #taps: number;
  /** Input not yet left behind by the filter; the first output is centred on its sample taps/2 - 1. */
  readonly #window: Float32Array;
  #filled: number;
  #phase = 0;

  constructor(inputRateHz: number, maxInputSamples: number) {
    const divisor = greatestCommonDivisor(SAMPLE_RATE_HZ, inputRateHz);
    this.#phases = SAMPLE_RATE_HZ / divisor;
    this.#step = inputRateHz / divisor;
    const { bank, taps } = designBank(inputRateHz, this.#phases);
    this.#bank = bank;
    this.#taps = taps;
    this.#maxInputSamples = Math.max(maxInputSamples, taps / 2);
    this.maxOutputSamples = Math.ceil((this.#maxInputSamples * this.#phases) / this.#step) + 1;
    this.#window = new Float32Array(2 * taps + this.#maxInputSamples);
    this.#filled = taps / 2 - 1;
  }

  /** Reads `count` samples of `input`, writes to `output`, returns how many were written. */
  process(input: Float32Array, count: number, output: Float32Array): number {
    if (count > this.#maxInputSamples)
      throw new RangeError(`more than ${this.#maxInputSamples} samples at once`);
    const window = this.#window;
    // A loop and not set(subarray()): that would allocate a view on each call.
    for (let i = 0; i < count; i++) window[this.#filled + i] = input[i]!;
    this.#filled += count;
    return this.#drain(output);
  }

  /** The last samples, after which the stream is over: as if followed by silence. */
  flush(output: Float32Array): number {
    const tail = this.#taps / 2;
    this.#window.fill(0, this.#filled, this.#filled + tail);
    this.#filled += tail;
    return this.#drain(output);
  }

  #drain(output: Float32Array): number {
    const window = this.#window;
    const bank = this.#bank;
    const taps = this.#taps;
    let first = 0;
    let written = 0;
    while (first + taps <= this.#filled) {
      const row = this.#phase * taps;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        sum += bank[row + tap]! * window[first + tap]!;
      }
      output[written++] = sum;
      this.#phase += this.#step;
      first += Math.floor(this.#phase / this.#phases);
      this.#phase %= this.#phases;
    }
    window.copyWithin(0, first, this.#filled);
    this.#filled -= first;
    return written;
  }
}
