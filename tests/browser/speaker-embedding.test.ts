import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createStore, entries } from 'idb-keyval';
import { dot, unit } from '@core/speakers/embedding.ts';
import { loadModel } from '@workers/engine/models/load.ts';
import { configureRuntime } from '@workers/engine/models/runtime.ts';
import { runSelfTest } from '@workers/engine/models/self-test.ts';
import { StepRunner } from '@workers/engine/models/step-runner.ts';
import { liveTensors } from '@workers/engine/models/tensors.ts';
import type { SpeakerEmbedding } from '@workers/engine/models/embedding.ts';
import { SPEAKER_MODELS } from '@workers/model-store/catalog.ts';
import { knownAnswer } from '../support/engine.ts';

const weights = createStore('unisono-weights', 'files');

async function load(repo: string, runner = new StepRunner()): Promise<SpeakerEmbedding> {
  const description = { ...SPEAKER_MODELS['wespeaker-resnet34-lm'], repo };
  return (await loadModel(description, 'wasm', runner)).model as SpeakerEmbedding;
}

/** Kaldi's fbank by its definition (`compute-fbank-feats --window-type=hamming --num-mel-bins=80 --dither=0`). */
function kaldiFbank(samples: Float32Array): number[][] {
  const [size, hop, padded, bands, rate] = [400, 160, 512, 80, 16_000];
  const mel = (hz: number): number => 1127 * Math.log(1 + hz / 700);
  const step = (mel(rate / 2) - mel(20)) / (bands + 1);
  const frames: number[][] = [];
  for (let from = 0; from + size <= samples.length; from += hop) {
    const frame = Array.from(samples.subarray(from, from + size), (sample) => sample * 32_768);
    const mean = frame.reduce((sum, sample) => sum + sample, 0) / size;
    const level = frame.map((sample) => sample - mean);
    const windowed = level.map((sample, n) => {
      const emphasized = sample - 0.97 * level[Math.max(0, n - 1)]!;
      return emphasized * (0.54 - 0.46 * Math.cos((2 * Math.PI * n) / (size - 1)));
    });
    const power = Array.from({ length: padded / 2 }, (_, bin) => {
      let [re, im] = [0, 0];
      windowed.forEach((value, n) => {
        re += value * Math.cos((2 * Math.PI * bin * n) / padded);
        im -= value * Math.sin((2 * Math.PI * bin * n) / padded);
      });
      return re * re + im * im;
    });
    frames.push(
      Array.from({ length: bands }, (_, band) => {
        const [left, centre, right] = [0, 1, 2].map((edge) => mel(20) + (band + edge) * step) as [
          number,
          number,
          number,
        ];
        const energy = power.reduce((sum, value, bin) => {
          const at = mel((bin * rate) / padded);
          const weight = Math.min((at - left) / (centre - left), (right - at) / (right - centre));
          return sum + Math.max(0, weight) * value;
        }, 0);
        return Math.log(Math.max(energy, 1.192_092_9e-7));
      }),
    );
  }
  const means = Array.from(
    { length: bands },
    (_, band) => frames.reduce((sum, frame) => sum + frame[band]!, 0) / frames.length,
  );
  return frames.map((frame) => frame.map((value, band) => value - means[band]!));
}

beforeAll(() =>
  configureRuntime({ threads: 1, device: 'wasm' }, (error) => expect.unreachable(error.message)),
);
beforeEach(() => weights('readwrite', (files) => void files.clear()));

test('WeSpeaker hears the filter bank that Kaldi defines, each band without its mean', async () => {
  const model = await load('unisono-test/wespeaker');
  const clip = (await knownAnswer()).subarray(0, 16_000);
  const heard = await model.embed(clip, new AbortController().signal);
  const reference = kaldiFbank(clip);
  expect(reference).toHaveLength(98);
  const most = reference[0]!.map((_, band) => Math.max(...reference.map((frame) => frame[band]!)));
  expect(heard).toHaveLength(80);
  unit(Float32Array.from(most)).forEach((value, band) => expect(heard[band]).toBeCloseTo(value, 3));
  expect(liveTensors()).toBe(0);
  await model.dispose();
});

test('half a second is enough for it, and louder is the same voice', async () => {
  const model = await load('unisono-test/wespeaker');
  const clip = (await knownAnswer()).subarray(8000, 16_000);
  const [quiet, loud] = [clip.map((sample) => sample / 4), clip];
  const { signal } = new AbortController();
  expect(dot(await model.embed(quiet, signal), await model.embed(loud, signal))).toBeCloseTo(1, 3);
  await model.dispose();
});

test('a voice that is called off takes no step and leaves no tensor', async () => {
  const runner = new StepRunner();
  const model = await load('unisono-test/wespeaker', runner);
  const aborted = AbortSignal.abort();
  await expect(model.embed(new Float32Array(16_000), aborted)).rejects.toMatchObject({ code: 'aborted' });
  expect(runner.steps).toBe(0);
  expect(liveTensors()).toBe(0);
  await model.dispose();
});

test('a network to which all sounds are alike fails its self-test', async () => {
  const model = await load('unisono-test/wespeaker');
  const deaf: SpeakerEmbedding = {
    id: model.id,
    embed: () => Promise.resolve(unit(Float32Array.of(1, 1))),
    dispose: () => model.dispose(),
  };
  expect(await runSelfTest(deaf)).toMatchObject({ right: false });
  await deaf.dispose();
});

test('a network with a front end that is not known is refused before its graph is fetched', async () => {
  await expect(load('Xenova/whisper-tiny')).rejects.toMatchObject({ code: 'model-corrupt' });
  const stored = (await entries<string, unknown>(weights)).map(([key]) => key);
  expect(stored.filter((key) => key.endsWith('.onnx'))).toEqual([]);
});
