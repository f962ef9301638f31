import { describe, expect, it } from 'vitest';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import { DecodedFile } from '@workers/capture/file-decoder.ts';

const urls = import.meta.glob<string>('../fixtures/audio/speech*', {
  query: '?url',
  import: 'default',
  eager: true,
});
const names = Object.keys(urls).map((path) => path.split('/').at(-1) ?? '');

async function fixture(name: string): Promise<File> {
  const response = await fetch(urls[`../fixtures/audio/${name}`] ?? '');
  return new File([await response.blob()], name);
}

async function decode(file: File) {
  const samples: number[] = [];
  let error: UnisonoError | null = null;
  let totalMs: number | null = null;
  try {
    const decoded = await DecodedFile.open(file);
    totalMs = decoded.totalMs;
    for await (const { block, samples: count } of decoded.blocks()) samples.push(...block.subarray(0, count));
  } catch (thrown) {
    error = toUnisonoError(thrown);
  }
  return { totalMs, samples: Float32Array.from(samples), seconds: samples.length / 16_000, error };
}

/** RMS per 10 ms, its mean taken off: the shape of the speech, which a codec keeps. */
function envelope(samples: Float32Array): readonly number[] {
  const rms = Array.from({ length: Math.floor(samples.length / 160) }, (_, i) =>
    Math.sqrt(samples.subarray(i * 160, (i + 1) * 160).reduce((sum, x) => sum + x * x, 0) / 160),
  );
  const mean = rms.reduce((sum, x) => sum + x, 0) / rms.length;
  return rms.map((x) => x - mean);
}

/** The delay of `b`, at most 100 ms either way, at which it is most like `a`, and how like. */
function align(a: readonly number[], b: readonly number[]): { delayMs: number; correlation: number } {
  let best = { delayMs: 0, correlation: -1 };
  for (let delay = -10; delay <= 10; delay++) {
    let ab = 0;
    let aa = 0;
    let bb = 0;
    a.forEach((x, i) => {
      const y = b[i + delay] ?? 0;
      ab += x * y;
      aa += x * x;
      bb += y * y;
    });
    const correlation = ab / Math.sqrt(aa * bb);
    if (correlation > best.correlation) best = { delayMs: delay * 10, correlation };
  }
  return best;
}

describe('file import', () => {
  it.each(names)('%s: the same speech at the same time', async (name) => {
    const original = await decode(await fixture('speech.flac'));
    const { samples, seconds, error, totalMs } = await decode(await fixture(name));
    expect(error).toBeNull();
    expect(Math.abs(seconds - original.seconds)).toBeLessThan(0.05);
    expect(Math.abs((totalMs ?? seconds * 1000) - original.seconds * 1000)).toBeLessThan(50);
    const { delayMs, correlation } = align(envelope(original.samples), envelope(samples));
    // An MP3 begins with its encoder's delay, which not every writer states.
    expect(Math.abs(delayMs)).toBeLessThanOrEqual(30);
    expect(correlation).toBeGreaterThan(0.97);
  });

  /** Seconds that can be read of the first 60 % of each file: clusters and pages only whole, an MP4 with its index last not at all. */
  const KEPT_S: Record<string, number> = {
    'speech.wav': 3.1,
    'speech.mp3': 3,
    'speech.flac': 2.7,
    'speech-opus.ogg': 1.4,
    'speech-vorbis.ogg': 0.9,
    'speech.webm': 0,
    'speech.m4a': 0,
    'speech.mp4': 0,
  };

  it.each(names)('%s cut off: what is there is kept, and the user is told', async (name) => {
    const file = await fixture(name);
    const { seconds, error } = await decode(new File([file.slice(0, Math.round(file.size * 0.6))], name));
    expect(error).toMatchObject({
      code: 'file-truncated',
      detail: { file: name, seconds: String(Math.round(seconds)) },
    });
    expect(seconds).toBeGreaterThanOrEqual(KEPT_S[name] ?? NaN);
    expect(seconds).toBeLessThan(3.3);
  });

  it('refuses what is no audio', async () => {
    const text = new File(['This is a letter, not a recording. '.repeat(100)], 'letter.txt');
    for (const file of [text, new File([], 'empty.wav')])
      expect((await decode(file)).error).toMatchObject({
        code: 'file-not-audio',
        detail: { file: file.name },
      });
  });

  it('names a codec that the browser cannot decode', async () => {
    // Format tag 0x11 is IMA ADPCM.
    const wav = new Uint8Array(await (await fixture('speech.wav')).arrayBuffer());
    wav.set([0x11, 0], 20);
    expect((await decode(new File([wav], 'adpcm.wav'))).error).toMatchObject({
      code: 'file-unsupported-codec',
    });
  });
});
