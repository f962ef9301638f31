import * as ort from 'onnxruntime-web/wasm';
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { VadTier } from '@core/protocol/capture.ts';
import { levelOf } from '@core/audio/level.ts';
import { EnergyDetector } from '@core/vad/energy.ts';
import { pathOf, VAD_MODELS, type VadModelId } from '@workers/model-store/catalog.ts';
import { fetchWeights } from '@workers/model-store/sources.ts';

/** Listens to one source: keeps what it must remember of the blocks before. */
export interface Detector {
  /** Probability in [0, 1] that this block of 512 samples holds speech. Blocks in order, one at a time. */
  step(block: Float32Array): Promise<number>;
}

/** One tier, loaded once for all sources. */
export interface DetectorModel {
  newDetector(): Detector;
}

export type DetectorLoaders = Readonly<Record<VadTier, () => Promise<DetectorModel>>>;

/** What Silero v6 reads before each block: the end of the block before, as its authors' own wrapper does. */
const CONTEXT_SAMPLES = 64;

const sampleRate = () => new ort.Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE_HZ)), []);
const zeros = (...dims: number[]) =>
  new ort.Tensor('float32', new Float32Array(dims.reduce((product, dim) => product * dim, 1)), dims);

async function createSession(id: VadModelId): Promise<ort.InferenceSession> {
  const build = `${__ORT_URL__}ort-wasm-simd-threaded`;
  ort.env.wasm.wasmPaths = { mjs: `${build}.mjs`, wasm: `${build}.wasm` };
  // Less than 1 ms of work per block: threads would cost more than they save, and other workers need them.
  ort.env.wasm.numThreads = 1;
  const model = VAD_MODELS[id];
  return ort.InferenceSession.create(await fetchWeights(pathOf(model, model.file)), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
}

/** One step of a recurrent graph: feeds back the states it names, gives the probability. */
async function runStep(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  states: Readonly<Record<string, string>>,
): Promise<number> {
  const results = await session.run(feeds);
  for (const [input, output] of Object.entries(states)) {
    const state = results[output];
    if (!state) throw new Error(`the voice detector gave no ${output}`);
    feeds[input] = state;
  }
  const probability = results.output?.data[0];
  if (typeof probability !== 'number' || Number.isNaN(probability))
    throw new Error('the voice detector gave no probability');
  return probability;
}

function sileroV6(session: ort.InferenceSession): Detector {
  const window = new Float32Array(CONTEXT_SAMPLES + BLOCK_SAMPLES);
  const input = new ort.Tensor('float32', window, [1, window.length]);
  const feeds: Record<string, ort.Tensor> = { input, state: zeros(2, 1, 128), sr: sampleRate() };
  return {
    step(block) {
      window.copyWithin(0, BLOCK_SAMPLES);
      window.set(block, CONTEXT_SAMPLES);
      return runStep(session, feeds, { state: 'stateN' });
    },
  };
}

/** The old model is surer of noise: this puts its 0.5 at the gate's 0.3, where both miss as much speech. */
const LEGACY_EXPONENT = 1.74;

function sileroLegacy(session: ort.InferenceSession): Detector {
  const window = new Float32Array(BLOCK_SAMPLES);
  const input = new ort.Tensor('float32', window, [1, window.length]);
  const feeds: Record<string, ort.Tensor> = {
    input,
    h: zeros(2, 1, 64),
    c: zeros(2, 1, 64),
    sr: sampleRate(),
  };
  return {
    async step(block) {
      window.set(block);
      return (await runStep(session, feeds, { h: 'hn', c: 'cn' })) ** LEGACY_EXPONENT;
    },
  };
}

function energy(): Detector {
  const detector = new EnergyDetector();
  return { step: (block) => Promise.resolve(detector.step(levelOf(block).rms)) };
}

export const DETECTOR_LOADERS: DetectorLoaders = {
  'silero-v6': async () => {
    const session = await createSession('silero-v6');
    return { newDetector: () => sileroV6(session) };
  },
  'silero-legacy': async () => {
    const session = await createSession('silero-legacy');
    return { newDetector: () => sileroLegacy(session) };
  },
  energy: () => Promise.resolve({ newDetector: energy }),
};
