import { describe, expect, it } from 'vitest';
import { playlist } from '../support/audio.ts';
import { encodeWav, parseWav, resample, type Audio } from '../support/wav.ts';

const tone = (hz: number, sampleRateHz: number): Audio => ({
  sampleRateHz,
  samples: Float32Array.from(
    { length: sampleRateHz },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / sampleRateHz),
  ),
});

const middle = ({ samples }: Audio) => samples.subarray(samples.length >> 2, (samples.length * 3) >> 2);
const powerDb = (samples: Float32Array) =>
  10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

describe('test audio', () => {
  it('a WAV is read as it was written, within half a 16-bit step', () => {
    const original = tone(440, 16_000);
    const { sampleRateHz, samples } = parseWav(encodeWav(original));
    expect(sampleRateHz).toBe(16_000);
    expect(Math.max(...samples.map((sample, i) => Math.abs(sample - original.samples[i]!)))).toBeLessThan(
      1 / 65_000,
    );
  });

  it('resampling keeps a speech tone (80 dB) and removes what 16 kHz cannot hold', () => {
    const expected = middle(tone(1000, 16_000));
    const got = middle(resample(tone(1000, 44_100), 16_000));
    expect(powerDb(got.map((sample, i) => sample - expected[i]!))).toBeLessThan(powerDb(expected) - 80);
    expect(powerDb(middle(resample(tone(10_000, 44_100), 16_000)))).toBeLessThan(-80);
  });

  it('a playlist says where each clip lies', () => {
    const { audio, spans } = playlist([tone(440, 16_000), tone(880, 16_000)]);
    const second = audio.samples.subarray(spans[1]!.startMs * 16, spans[1]!.endMs * 16);
    expect(second.length).toBe(16_000);
    expect(powerDb(second)).toBeCloseTo(powerDb(tone(880, 16_000).samples), 5);
    expect(powerDb(audio.samples.subarray(spans[0]!.endMs * 16, spans[1]!.startMs * 16))).toBe(-Infinity);
  });
});
