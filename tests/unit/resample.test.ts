import { describe, expect, it } from 'vitest';
import { PcmStream } from '../../src/core/audio/pcm-stream.ts';
import { fitTone, levelDb, sine } from '../support/tone.ts';

const RATES_HZ = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];

/** All of `channels` through a stream, in pieces of uneven length. */
function toMono16k(
  rateHz: number,
  channels: readonly Float32Array[],
): { samples: Float32Array; count: number } {
  const out: number[] = [];
  const stream = new PcmStream(rateHz, 1000, {
    take: () => new Float32Array(512),
    emit: (block, start, samples) => {
      expect(start).toBe(out.length);
      out.push(...block.subarray(0, samples));
    },
  });
  const length = channels[0]?.length ?? 0;
  for (let at = 0, step = 1; at < length; at += step, step = (step * 7 + 128) % 1000) {
    const piece = channels.map((channel) => channel.subarray(at, at + step));
    stream.push(piece, piece[0]?.length ?? 0);
  }
  stream.end();
  return { samples: Float32Array.from(out), count: stream.samples };
}

describe('any rate becomes 16 kHz', () => {
  it.each(RATES_HZ)('%i Hz: a 1 kHz tone stays clean and in its place', (rateHz) => {
    const { samples, count } = toMono16k(rateHz, [sine(1000, rateHz, rateHz, 0.5)]);
    expect(count).toBe(16_000);
    const inner = samples.subarray(1600, 14_400);
    const { amplitude, snrDb } = fitTone(inner, 1000, 16_000);
    console.log(`${rateHz} Hz: 1 kHz at ${snrDb.toFixed(1)} dB SNR`);
    expect(snrDb).toBeGreaterThan(60);
    expect(amplitude).toBeCloseTo(0.5, 3);
    // Without delay: sample n is the input at n / 16000 s, or word times would drift.
    const expected = sine(1000, 16_000, 16_000, 0.5).subarray(1600, 14_400);
    const worst = inner.reduce((max, x, n) => Math.max(max, Math.abs(x - (expected[n] ?? 0))), 0);
    expect(worst).toBeLessThan(1e-3);
  });

  it.each(RATES_HZ.filter((rateHz) => rateHz > 20_000))(
    '%i Hz: a 10 kHz tone does not fold into speech',
    (rateHz) => {
      const { samples } = toMono16k(rateHz, [sine(10_000, rateHz, rateHz, 0.5)]);
      const suppressionDb = -levelDb(samples.subarray(1600, 14_400), 0.5);
      console.log(`${rateHz} Hz: 10 kHz suppressed by ${suppressionDb.toFixed(1)} dB`);
      expect(suppressionDb).toBeGreaterThan(60);
    },
  );

  it('mixes channels to their mean', () => {
    const left = sine(1000, 48_000, 48_000, 0.5);
    const { samples } = toMono16k(48_000, [left, new Float32Array(48_000)]);
    expect(fitTone(samples.subarray(1600, 14_400), 1000, 16_000).amplitude).toBeCloseTo(0.25, 3);
  });

  it('goes on in the same blocks when the rate changes', () => {
    const lengths: number[] = [];
    const stream = new PcmStream(48_000, 4800, {
      take: () => new Float32Array(512),
      emit: (_, start, samples) => lengths.push(start, samples),
    });
    stream.push([new Float32Array(4800)], 4800);
    stream.setRate(24_000);
    stream.push([new Float32Array(2400)], 2400);
    stream.end();
    expect(stream.samples).toBe(3200);
    expect(lengths.slice(-4)).toEqual([2560, 512, 3072, 128]);
  });

  it('fills the last block with silence and says how much of it is sound', () => {
    const emitted: number[] = [];
    const stream = new PcmStream(16_000, 600, {
      take: () => new Float32Array(512).fill(9),
      emit: (block, _, samples) => emitted.push(samples, block.at(-1) ?? NaN),
    });
    stream.push([new Float32Array(600).fill(0.5)], 600);
    stream.end();
    expect(emitted).toEqual([512, 0.5, 88, 0]);
    expect(stream.samples).toBe(600);
  });
});
