import { deferred, type Deferred } from '@core/util/deferred.ts';
import type { ModelId, RecognizerId, RungId, TranslatorId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type {
  Hypothesis,
  InferenceApi,
  RecognizeOptions,
  SelfTestReport,
  TranslatedText,
  TranslateOptions,
} from '@workers/engine/inference-protocol.ts';
import type { DeviceConfiguration, InferenceHost, SpawnInference } from '@workers/engine/runtime.ts';

/** A call of a recognizer that waits for its answer. */
export interface PendingCall extends Deferred<Hypothesis> {
  readonly model: RecognizerId;
  readonly audio: Float32Array;
  readonly options: RecognizeOptions;
  cancelled: boolean;
}

export interface Script {
  load?(model: ModelId, rung: RungId, configuration: DeviceConfiguration): Promise<void>;
  release?(): Promise<void>;
  selfTest?(model: ModelId, rung: RungId, configuration: DeviceConfiguration): SelfTestReport;
  /** Without it each translation is the text behind its target: `[es] Hello.` */
  translate?(model: TranslatorId, text: string, options: TranslateOptions): Promise<TranslatedText>;
}

/**
 * The protocol of the inference workers, answered by the test: loads, self-tests and translations
 * follow a script, recognizer calls wait in `calls` until the test settles them.
 */
export class ScriptedInference {
  readonly calls: PendingCall[] = [];
  readonly loads: string[] = [];
  /** Configurations of the workers that live. */
  readonly alive = new Set<DeviceConfiguration>();
  /** Workers that gave everything back before they ended. */
  readonly released: string[] = [];
  /** Set at the end of a test: what the engine starts anew then fails at once. */
  closed = false;
  readonly #script: Script;
  #onCall: (() => void) | null = null;

  constructor(script: Script = {}) {
    this.#script = script;
  }

  /** The oldest call that has neither been taken nor cancelled; waits for one if there is none. */
  async nextCall(): Promise<PendingCall> {
    for (;;) {
      const call = this.calls.shift();
      if (call && !call.cancelled) return call;
      if (!call) await new Promise<void>((resolve) => (this.#onCall = resolve));
    }
  }

  readonly spawn: SpawnInference = (): InferenceHost => {
    const pending = new Map<number, () => void>();
    const rungs = new Map<ModelId, RungId>();
    const gone = deferred<never>();
    gone.promise.catch(() => undefined);
    let configuration: DeviceConfiguration = { device: 'wasm', threads: 1 };
    const orGone = <T>(work: Promise<T>): Promise<T> => Promise.race([work, gone.promise]);
    const api: InferenceApi = {
      configure: async (options) => {
        configuration = options;
        this.alive.add(configuration);
      },
      load: (model, rung) =>
        orGone(
          (async () => {
            if (this.closed) throw new UnisonoError('model-failed', 'The test is over.');
            this.loads.push(`${model} ${rung}/${configuration.threads}`);
            await this.#script.load?.(model, rung, configuration);
            rungs.set(model, rung);
            return { loadMs: 1, sessionsCreated: 2, bytes: 40e6 };
          })(),
        ),
      selfTest: async (model) =>
        this.#script.selfTest?.(model, rungs.get(model)!, configuration) ?? {
          text: '',
          right: true,
          decodeMs: 1,
        },
      recognize: (callId, model, audio, options) => {
        const call: PendingCall = { ...deferred<Hypothesis>(), model, audio, options, cancelled: false };
        pending.set(callId, () => {
          call.cancelled = true;
          call.reject(new UnisonoError('aborted', 'cancelled'));
        });
        this.calls.push(call);
        this.#onCall?.();
        return orGone(call.promise);
      },
      translate: (callId, model, text, options) => {
        const cancelled = deferred<never>();
        pending.set(callId, () => cancelled.reject(new UnisonoError('aborted', 'cancelled')));
        const answer =
          this.#script.translate?.(model, text, options) ??
          Promise.resolve(translated(`[${model.slice(-2)}] ${text}`));
        return orGone(Promise.race([answer, cancelled.promise]));
      },
      segment: () => Promise.reject(new UnisonoError('internal', 'no segmentation in the script')),
      embed: () => Promise.reject(new UnisonoError('internal', 'no voices in the script')),
      cancel: async (callId) => pending.get(callId)?.(),
      unload: async (model) => void rungs.delete(model),
      release: async () => {
        rungs.clear();
        this.released.push(`${configuration.device}/${configuration.threads}`);
        await this.#script.release?.();
      },
    };
    return {
      api,
      close: (error) => {
        this.alive.delete(configuration);
        gone.reject(error);
      },
      crash: () => undefined,
    };
  };
}

/** A translation that went well. */
export const translated = (text: string, change: Partial<TranslatedText> = {}): TranslatedText => ({
  text,
  tokens: text.split(' ').length,
  truncated: false,
  decodeMs: 1,
  ...change,
});

/** A clear reading of some words; `startMs` of word n is n × 100. */
export const reading = (text: string, change: Partial<Hypothesis> = {}): Hypothesis => ({
  language: 'en',
  languageProbability: 1,
  words: text
    .split(' ')
    .filter(Boolean)
    .map((word, index) => ({ text: ` ${word}`, startMs: index * 100, endMs: index * 100 + 90 })),
  averageLogProbability: -0.1,
  noSpeechProbability: 0.01,
  tokens: text.split(' ').length,
  truncated: false,
  decodeMs: 1,
  ...change,
});
