/** WAV in and out and a resampler, for Node and the browser. Audio is mono float32 in [-1, 1]. */
export interface Audio {
  readonly sampleRateHz: number;
  readonly samples: Float32Array<ArrayBuffer>;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/**
 * Reads a RIFF WAV of 16-bit integers or 32-bit floats; channels are averaged.
 * @throws Error for any other format.
 */
export function parseWav(bytes: Uint8Array): Audio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('not a WAV file');
  let format: { kind: number; channels: number; sampleRateHz: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ') {
      const kind = view.getUint16(body, true);
      format = {
        kind: kind === FORMAT_EXTENSIBLE ? view.getUint16(body + 24, true) : kind,
        channels: view.getUint16(body + 2, true),
        sampleRateHz: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    }
    if (tag(at) === 'data' && format) {
      const { kind, channels, sampleRateHz, bits } = format;
      const read =
        kind === FORMAT_PCM && bits === 16
          ? (offset: number) => view.getInt16(offset, true) / 0x8000
          : kind === FORMAT_FLOAT && bits === 32
            ? (offset: number) => view.getFloat32(offset, true)
            : null;
      if (!read) throw new Error(`WAV format ${kind} with ${bits} bits is not read here`);
      const step = bits / 8;
      const frames = Math.floor(Math.min(size, bytes.byteLength - body) / (step * channels));
      const samples = new Float32Array(frames);
      for (let frame = 0; frame < frames; frame++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++)
          sum += read(body + (frame * channels + channel) * step);
        samples[frame] = sum / channels;
      }
      return { sampleRateHz, samples };
    }
    at = body + size + (size % 2);
  }
  throw new Error('a WAV file without audio');
}

/** 16-bit PCM, which Chromium's fake microphone and every player read. */
export function encodeWav({ sampleRateHz, samples }: Audio): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  text(0, 'RIFF');
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) =>
    view.setInt16(44 + i * 2, Math.round(Math.max(-1, Math.min(0x7fff / 0x8000, sample)) * 0x8000), true),
  );
  return bytes;
}

/** Zero crossings of the sinc kernel on each side: 32 keep images more than 80 dB down. */
const SINC_CROSSINGS = 32;

/** Band-limited resampling with a Blackman-windowed sinc; offline quality, not for streams. */
export function resample({ sampleRateHz, samples }: Audio, toHz: number): Audio {
  if (sampleRateHz === toHz) return { sampleRateHz, samples };
  const ratio = toHz / sampleRateHz;
  // Slightly below the lower Nyquist frequency, so that the transition band holds no images.
  const cutoff = 0.96 * Math.min(1, ratio);
  const reach = SINC_CROSSINGS / cutoff;
  const out = new Float32Array(Math.floor(samples.length * ratio));
  for (let i = 0; i < out.length; i++) {
    const centre = i / ratio;
    let sum = 0;
    const last = Math.min(samples.length - 1, Math.floor(centre + reach));
    for (let j = Math.max(0, Math.ceil(centre - reach)); j <= last; j++) {
      const x = (j - centre) * cutoff;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const phase = (Math.PI * x) / SINC_CROSSINGS;
      sum += samples[j]! * sinc * (0.42 + 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase));
    }
    out[i] = sum * cutoff;
  }
  return { sampleRateHz: toHz, samples: out };
}

export const silence = (ms: number, sampleRateHz: number): Audio => ({
  sampleRateHz,
  samples: new Float32Array(Math.round((ms * sampleRateHz) / 1000)),
});

/** One after another; all must have the first one's rate. */
export function concatenate(parts: readonly Audio[]): Audio {
  const sampleRateHz = parts[0]?.sampleRateHz ?? 16_000;
  if (parts.some((part) => part.sampleRateHz !== sampleRateHz)) throw new Error('different sample rates');
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.samples.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part.samples, at);
    at += part.samples.length;
  }
  return { sampleRateHz, samples };
}

export const durationMs = ({ sampleRateHz, samples }: Audio): number =>
  (samples.length * 1000) / sampleRateHz;
