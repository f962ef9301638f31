import { UnisonoError, toUnisonoError } from '@core/protocol/errors.ts';
import type {
  FaultKind,
  ModelId,
  RecognizerId,
  RungId,
  SegmentationId,
  SpeakerEmbeddingId,
  TranslatorId,
} from '@core/protocol/engine.ts';
import type { Embedding } from '@core/speakers/embedding.ts';
import type { Candidate } from './ladder.ts';
import type {
  Hypothesis,
  InferenceApi,
  InferenceEvents,
  LoadReport,
  RecognizeOptions,
  SelfTestReport,
  TranslatedText,
  TranslateOptions,
} from './inference-protocol.ts';

export interface DeviceConfiguration {
  readonly device: 'wasm' | 'webgpu';
  readonly threads: number;
}

/** A model that answers. */
export interface LoadedModel<Id extends ModelId = ModelId> {
  readonly model: Id;
  readonly candidate: Candidate;
  readonly runtime: Runtime;
  readonly loadMs: number;
  /** Of its weights. */
  readonly bytes: number;
}

/** An inference worker as the engine holds it. */
export interface InferenceHost {
  readonly api: InferenceApi;
  /** Kills the worker. Calls under way reject with `error`. */
  close(error: UnisonoError): void;
  /** Kills the worker as a crash would: without a word to the engine. */
  crash(): void;
}

export type SpawnInference = (
  events: InferenceEvents & {
    /** The worker died or failed outside of a call. */
    lost(error: UnisonoError): void;
  },
) => InferenceHost;

export interface RuntimeEvents {
  progress: InferenceEvents['progress'];
  notStored: InferenceEvents['notStored'];
  /** The runtime can do no more work: GPU lost, worker gone, or a call that never came back. */
  lost(runtime: Runtime, error: UnisonoError): void;
}

/**
 * A call that takes longer has hung: far above the slowest decode of 29 s seen on any rung that
 * passed its self-test.
 */
const CALL_LIMIT_MS = 120_000;

/** A worker that is busy for longer is ended as it is: the browser frees what it held. */
const RELEASE_LIMIT_MS = 2000;

let runtimes = 0;
let calls = 0;

/** One inference worker in one device configuration. Lives in the engine worker. */
export class Runtime {
  readonly configuration: DeviceConfiguration;
  /** The scheduler's lane: unique, also among rebuilt runtimes of the same configuration. */
  readonly lane: string;
  readonly #models = new Set<ModelId>();
  readonly #host: InferenceHost;
  readonly #configured: Promise<void>;
  readonly #events: RuntimeEvents;
  #lost: UnisonoError | null = null;

  constructor(configuration: DeviceConfiguration, spawn: SpawnInference, events: RuntimeEvents) {
    this.configuration = configuration;
    this.lane = `${configuration.device}/${configuration.threads}#${(runtimes += 1)}`;
    this.#events = events;
    this.#host = spawn({
      progress: (...progress) => events.progress(...progress),
      notStored: (error) => events.notStored(error),
      gpuLost: (reason) => this.lose(new UnisonoError('gpu-lost', `The GPU device was lost: ${reason}`)),
      lost: (error) => this.lose(error),
    });
    this.#configured = this.#host.api.configure(configuration);
    this.#configured.catch((error: unknown) => this.lose(toUnisonoError(error, 'engine-lost')));
  }

  get alive(): boolean {
    return this.#lost === null;
  }

  async load(model: ModelId, rung: RungId): Promise<LoadReport> {
    // Before anything is awaited: an unload of the last other model must not close this runtime.
    this.#models.add(model);
    await this.#configured;
    return this.#host.api.load(model, rung);
  }

  selfTest(model: ModelId): Promise<SelfTestReport> {
    return this.#limited(this.#host.api.selfTest(model));
  }

  /** Settles once the worker is free again, also after an abort: it stops before its next model step. */
  recognize(
    model: RecognizerId,
    audio: Float32Array,
    options: RecognizeOptions,
    signal: AbortSignal,
  ): Promise<Hypothesis> {
    return this.#call(signal, (callId) => this.#host.api.recognize(callId, model, audio, options));
  }

  /** One sentence; settles as {@link Runtime.recognize} does. */
  translate(
    model: TranslatorId,
    text: string,
    options: TranslateOptions,
    signal: AbortSignal,
  ): Promise<TranslatedText> {
    return this.#call(signal, (callId) => this.#host.api.translate(callId, model, text, options));
  }

  /** A window of at most 10 s; settles as {@link Runtime.recognize} does. */
  segment(model: SegmentationId, samples: Float32Array, signal: AbortSignal): Promise<Float32Array> {
    return this.#call(signal, (callId) => this.#host.api.segment(callId, model, samples));
  }

  /** One speaker's voice; settles as {@link Runtime.recognize} does. */
  embed(model: SpeakerEmbeddingId, samples: Float32Array, signal: AbortSignal): Promise<Embedding> {
    return this.#call(signal, (callId) => this.#host.api.embed(callId, model, samples));
  }

  async unload(model: ModelId): Promise<void> {
    this.#models.delete(model);
    if (this.#models.size === 0) await this.shutDown();
    else if (this.alive) await this.#host.api.unload(model);
  }

  async injectFault(fault: FaultKind): Promise<void> {
    if (fault === 'worker-gone') this.#host.crash();
    else await this.#host.api.injectFault?.(fault);
  }

  /** Lets the worker give back its models and the GPU before it ends; takes no more calls. Nobody is told. */
  async shutDown(): Promise<void> {
    if (this.#lost) return;
    this.#lost = new UnisonoError('engine-lost', 'The inference worker was closed.');
    await Promise.race([
      this.#host.api.release().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, RELEASE_LIMIT_MS)),
    ]);
    this.#host.close(this.#lost);
  }

  /** Ends the worker and frees its memory; calls under way reject. Nobody is told. */
  close(): void {
    this.#end(new UnisonoError('engine-lost', 'The inference worker was closed.'));
  }

  /** Ends the worker because of a fault and says so. */
  lose(error: UnisonoError): void {
    if (this.#end(error)) this.#events.lost(this, error);
  }

  async #call<Result>(signal: AbortSignal, begin: (callId: number) => Promise<Result>): Promise<Result> {
    if (this.#lost) throw this.#lost;
    signal.throwIfAborted();
    const callId = (calls += 1);
    const cancel = (): void => void this.#host.api.cancel(callId).catch(() => undefined);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#limited(begin(callId));
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  #end(error: UnisonoError): boolean {
    if (this.#lost) return false;
    this.#lost = error;
    this.#host.close(error);
    return true;
  }

  async #limited<Result>(call: Promise<Result>): Promise<Result> {
    const timer = setTimeout(
      () => this.lose(new UnisonoError('model-failed', `No answer within ${CALL_LIMIT_MS} ms.`)),
      CALL_LIMIT_MS,
    );
    try {
      return await call;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** At most one live runtime per device configuration. */
export class RuntimePool {
  readonly #runtimes = new Map<string, Runtime>();
  readonly #spawn: SpawnInference;
  readonly #events: RuntimeEvents;
  #closed = false;

  constructor(spawn: SpawnInference, events: RuntimeEvents) {
    this.#spawn = spawn;
    this.#events = events;
  }

  /** @throws UnisonoError `engine-changed` after {@link shutDown} */
  get(configuration: DeviceConfiguration): Runtime {
    if (this.#closed) throw new UnisonoError('engine-changed', 'This engine has ended.');
    const key = `${configuration.device}/${configuration.threads}`;
    const known = this.#runtimes.get(key);
    if (known?.alive) return known;
    const runtime = new Runtime(configuration, this.#spawn, this.#events);
    this.#runtimes.set(key, runtime);
    return runtime;
  }

  /** Ends every worker; none begins any more. */
  async shutDown(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#runtimes.values()].map((runtime) => runtime.shutDown()));
  }
}
