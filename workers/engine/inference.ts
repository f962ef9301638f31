import type { RecognizerId, RungId } from '@core/protocol/engine.ts';
import { toWire, UnisonoError } from '@core/protocol/errors.ts';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { RECOGNIZER_MODELS } from '@workers/model-store/catalog.ts';
import type {
  Hypothesis,
  InferenceApi,
  InferenceCounters,
  InferenceEvents,
  LoadReport,
  RecognizeOptions,
  SelfTestReport,
} from './inference-protocol.ts';
import { loadRecognizer, reportReads } from './models/load.ts';
import { MAX_AUDIO_S, type Recognizer } from './models/recognizer.ts';
import { configureRuntime, gpuDevice, type RuntimeOptions } from './models/runtime.ts';
import { runSelfTest } from './models/self-test.ts';
import { StepRunner, type ModelFault } from './models/step-runner.ts';
import { liveTensors } from './models/tensors.ts';

/** Loud enough not to be taken for silence, short enough to be quick: makes kernels compile. */
const warmUpAudio = () => Float32Array.from({ length: SAMPLE_RATE_HZ }, (_, n) => 0.1 * Math.sin(n / 10));

const isGraph = (file: string): boolean => file.endsWith('.onnx');

/**
 * The models of one inference worker. Everything that touches ONNX Runtime goes one after another:
 * it refuses a second run while one is under way.
 */
export class Inference implements InferenceApi {
  readonly #events: InferenceEvents;
  readonly #runner = new StepRunner();
  readonly #recognizers = new Map<RecognizerId, { readonly recognizer: Recognizer; readonly rung: RungId }>();
  readonly #calls = new Map<number, AbortController>();
  #options: RuntimeOptions | undefined;
  #loading: RecognizerId | undefined;
  /** Files that the present load has read, and their bytes. */
  readonly #read = new Map<string, number>();
  #gpu: GPUDevice | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(events: InferenceEvents) {
    this.#events = events;
  }

  async configure(options: RuntimeOptions): Promise<void> {
    if (this.#options) throw new UnisonoError('internal', 'The runtime is configured already.');
    configureRuntime(options, (error) => this.#events.notStored(toWire(error)));
    this.#options = options;
    reportReads({
      file: (file, bytes) => this.#read.set(file, bytes),
      download: (file, loadedBytes, totalBytes) => {
        if (this.#loading) this.#events.progress(this.#loading, file, loadedBytes, totalBytes);
      },
    });
    return Promise.resolve();
  }

  load(model: RecognizerId, rung: RungId): Promise<LoadReport> {
    return this.#inTurn(async () => {
      if (this.#recognizers.get(model)?.rung === rung) return { loadMs: 0, sessionsCreated: 0, bytes: 0 };
      if (this.#recognizers.has(model))
        throw new UnisonoError('internal', `${model} is loaded on another rung.`);
      const device = rung.startsWith('webgpu') ? 'webgpu' : 'wasm';
      if (this.#options?.device !== device) throw new UnisonoError('internal', `Not configured for ${rung}.`);
      const startedMs = performance.now();
      this.#loading = model;
      this.#read.clear();
      try {
        const { recognizer, sessions } = await loadRecognizer(RECOGNIZER_MODELS[model], rung, this.#runner);
        try {
          if (device === 'webgpu') await this.#watchGpu();
          const options = { languages: recognizer.languages, wordTimestamps: true, temperature: 0 };
          await recognizer.recognize(warmUpAudio(), options, new AbortController().signal);
        } catch (thrown) {
          await recognizer.dispose();
          throw thrown;
        }
        this.#recognizers.set(model, { recognizer, rung });
        return {
          loadMs: performance.now() - startedMs,
          sessionsCreated: sessions,
          bytes: [...this.#read].reduce((sum, [file, bytes]) => sum + (isGraph(file) ? bytes : 0), 0),
        };
      } finally {
        this.#loading = undefined;
      }
    });
  }

  recognize(
    callId: number,
    model: RecognizerId,
    audio: Float32Array,
    options: RecognizeOptions,
  ): Promise<Hypothesis> {
    const controller = new AbortController();
    this.#calls.set(callId, controller);
    return this.#inTurn(() => {
      if (audio.length + (options.context?.audio.length ?? 0) > MAX_AUDIO_S * SAMPLE_RATE_HZ) {
        throw new UnisonoError(
          'internal',
          `Audio of more than ${MAX_AUDIO_S} s must be cut before it is recognized.`,
        );
      }
      return this.#get(model).recognize(audio, options, controller.signal);
    }).finally(() => this.#calls.delete(callId));
  }

  cancel(callId: number): Promise<void> {
    this.#calls.get(callId)?.abort();
    return Promise.resolve();
  }

  selfTest(model: RecognizerId): Promise<SelfTestReport> {
    return this.#inTurn(() => runSelfTest(this.#get(model)));
  }

  unload(model: RecognizerId): Promise<void> {
    return this.#inTurn(async () => {
      const loaded = this.#recognizers.get(model);
      this.#recognizers.delete(model);
      await loaded?.recognizer.dispose();
    });
  }

  release(): Promise<void> {
    return this.#inTurn(async () => {
      const device = this.#gpu;
      this.#gpu = undefined;
      for (const { recognizer } of this.#recognizers.values()) await recognizer.dispose();
      this.#recognizers.clear();
      device?.destroy();
    });
  }

  async injectFault(fault: ModelFault): Promise<void> {
    if (!__TEST_HOOKS__) return;
    if (fault !== 'gpu-lost') this.#runner.failNext(fault);
    else if (this.#gpu) this.#gpu.destroy();
    else this.#runner.gpuLost('there is none');
    return Promise.resolve();
  }

  counters(): Promise<InferenceCounters> {
    return Promise.resolve({ steps: this.#runner.steps, liveTensors: liveTensors() });
  }

  #get(model: RecognizerId): Recognizer {
    const loaded = this.#recognizers.get(model);
    if (!loaded) throw new UnisonoError('model-unknown', `${model} is not loaded.`);
    return loaded.recognizer;
  }

  /** ONNX Runtime destroys its device when the last session goes: only a loss before that counts. */
  async #watchGpu(): Promise<void> {
    const device = await gpuDevice();
    if (!device || device === this.#gpu) return;
    this.#gpu = device;
    void device.lost.then(({ message, reason }) => {
      if (this.#gpu !== device) return;
      this.#runner.gpuLost(message || reason);
      this.#events.gpuLost(message || reason);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
