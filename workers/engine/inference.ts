import type {
  ModelId,
  RecognizerId,
  RungId,
  SegmentationId,
  SpeakerEmbeddingId,
  TranslatorId,
} from '@core/protocol/engine.ts';
import { toWire, UnisonoError } from '@core/protocol/errors.ts';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { Embedding } from '@core/speakers/embedding.ts';
import { MODELS } from '@workers/model-store/catalog.ts';
import { keepFiles } from '@workers/model-store/keep-files.ts';
import { deviceFacts } from './device.ts';
import type {
  Hypothesis,
  InferenceApi,
  InferenceCounters,
  InferenceEvents,
  LoadReport,
  RecognizeOptions,
  SelfTestReport,
  TranslatedText,
  TranslateOptions,
} from './inference-protocol.ts';
import { loadModel, reportReads } from './models/load.ts';
import type { SpeakerEmbedding } from './models/embedding.ts';
import type { Model } from './models/model.ts';
import { MAX_AUDIO_S, type Recognizer } from './models/recognizer.ts';
import { configureRuntime, gpuDevice, type RuntimeOptions } from './models/runtime.ts';
import { WINDOW_SAMPLES, type Segmentation } from './models/segmentation.ts';
import { runSelfTest } from './models/self-test.ts';
import { StepRunner, type ModelFault } from './models/step-runner.ts';
import { liveTensors } from './models/tensors.ts';
import type { Translator } from './models/translator.ts';
import { warmUp } from './models/warm-up.ts';

/** Less says next to nothing of a voice: the networks pool over time. */
const MIN_VOICE_SAMPLES = SAMPLE_RATE_HZ / 2;

const isGraph = (file: string): boolean => file.endsWith('.onnx');

/**
 * The models of one inference worker. Everything that touches ONNX Runtime goes one after another:
 * it refuses a second run while one is under way.
 */
export class Inference implements InferenceApi {
  readonly #events: InferenceEvents;
  readonly #runner = new StepRunner();
  readonly #loaded = new Map<ModelId, { readonly model: Model; readonly rung: RungId }>();
  readonly #calls = new Map<number, AbortController>();
  #options: RuntimeOptions | undefined;
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
    reportReads((file, bytes) => this.#read.set(file, bytes));
    return Promise.resolve();
  }

  /** What has to be downloaded comes before its turn: calls of other models go on meanwhile. */
  async load(id: ModelId, rung: RungId): Promise<LoadReport> {
    const device = rung.startsWith('webgpu') ? 'webgpu' : 'wasm';
    if (this.#options?.device !== device) throw new UnisonoError('internal', `Not configured for ${rung}.`);
    if (rung === 'webgpu-fp16' && !(await deviceFacts()).webgpu?.shaderF16)
      throw new UnisonoError('model-failed', 'The graphics adapter has no 16-bit floats.');
    if (this.#loaded.get(id)?.rung !== rung)
      await keepFiles(MODELS[id], rung, {
        onProgress: (...progress) => this.#events.progress(id, ...progress),
        onNotStored: (error) => this.#events.notStored(toWire(error)),
      });
    return this.#inTurn(async () => {
      if (this.#loaded.get(id)?.rung === rung) return { loadMs: 0, sessionsCreated: 0, bytes: 0 };
      if (this.#loaded.has(id)) throw new UnisonoError('internal', `${id} is loaded on another rung.`);
      const startedMs = performance.now();
      this.#read.clear();
      const { model, sessions } = await loadModel(MODELS[id], rung, this.#runner);
      try {
        if (device === 'webgpu') await this.#watchGpu();
        await warmUp(model);
      } catch (thrown) {
        await model.dispose();
        throw thrown;
      }
      this.#loaded.set(id, { model, rung });
      return {
        loadMs: performance.now() - startedMs,
        sessionsCreated: sessions,
        bytes: [...this.#read].reduce((sum, [file, bytes]) => sum + (isGraph(file) ? bytes : 0), 0),
      };
    });
  }

  recognize(
    callId: number,
    model: RecognizerId,
    audio: Float32Array,
    options: RecognizeOptions,
  ): Promise<Hypothesis> {
    return this.#call(callId, (signal) => {
      if (audio.length + (options.context?.audio.length ?? 0) > MAX_AUDIO_S * SAMPLE_RATE_HZ) {
        throw new UnisonoError(
          'internal',
          `Audio of more than ${MAX_AUDIO_S} s must be cut before it is recognized.`,
        );
      }
      return this.#get<Recognizer>(model).recognize(audio, options, signal);
    });
  }

  translate(
    callId: number,
    model: TranslatorId,
    text: string,
    options: TranslateOptions,
  ): Promise<TranslatedText> {
    return this.#call(callId, (signal) => this.#get<Translator>(model).translate(text, options, signal));
  }

  segment(callId: number, model: SegmentationId, samples: Float32Array): Promise<Float32Array> {
    return this.#call(callId, (signal) => {
      if (samples.length > WINDOW_SAMPLES)
        throw new UnisonoError('internal', 'A window has 10 s at the most.');
      return this.#get<Segmentation>(model).segment(samples, signal);
    });
  }

  embed(callId: number, model: SpeakerEmbeddingId, samples: Float32Array): Promise<Embedding> {
    return this.#call(callId, (signal) => {
      if (samples.length < MIN_VOICE_SAMPLES || samples.length > MAX_AUDIO_S * SAMPLE_RATE_HZ) {
        throw new UnisonoError('internal', `A voice takes half a second to ${MAX_AUDIO_S} s of speech.`);
      }
      return this.#get<SpeakerEmbedding>(model).embed(samples, signal);
    });
  }

  cancel(callId: number): Promise<void> {
    this.#calls.get(callId)?.abort();
    return Promise.resolve();
  }

  selfTest(model: ModelId): Promise<SelfTestReport> {
    return this.#inTurn(() => runSelfTest(this.#get(model)));
  }

  unload(id: ModelId): Promise<void> {
    return this.#inTurn(async () => {
      const loaded = this.#loaded.get(id);
      this.#loaded.delete(id);
      await loaded?.model.dispose();
    });
  }

  release(): Promise<void> {
    return this.#inTurn(async () => {
      const device = this.#gpu;
      this.#gpu = undefined;
      for (const { model } of this.#loaded.values()) await model.dispose();
      this.#loaded.clear();
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

  #get<Kind extends Model>(id: Kind['id']): Kind {
    const loaded = this.#loaded.get(id);
    if (!loaded) throw new UnisonoError('model-unknown', `${id} is not loaded.`);
    return loaded.model as Kind;
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

  #call<T>(callId: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#calls.set(callId, controller);
    return this.#inTurn(() => work(controller.signal)).finally(() => this.#calls.delete(callId));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
