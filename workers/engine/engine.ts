import { UnisonoError } from '@core/protocol/errors.ts';
import type { SpeechMessage } from '@core/protocol/audio.ts';
import {
  RECOGNIZER_IDS,
  type EngineApi,
  type EngineEvent,
  type RecognitionSettings,
  type RecognizerId,
  type RungId,
} from '@core/protocol/engine.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import type { Clock } from '@core/util/clock.ts';
import { chooseRecognizer } from './choose-recognizer.ts';
import type { EngineClient } from './client.ts';
import { Decoder } from './decoder.ts';
import type { EngineStore } from './engine-store.ts';
import { HealthLog } from './health.ts';
import type { DeviceFacts } from './ladder.ts';
import { ModelRegistry } from './model-registry.ts';
import { RuntimePool, type SpawnInference } from './runtime.ts';
import { Scheduler } from './scheduler.ts';
import type { SelfTestMemory } from './self-test-memory.ts';
import { Session } from './session.ts';

export interface EngineEffects {
  readonly tab: TabId;
  readonly build: number;
  readonly epoch: Epoch;
  readonly store: EngineStore;
  readonly clock: Clock;
  readonly spawn: SpawnInference;
  readonly memory: SelfTestMemory;
  /** Names the weight files a rung of a model needs; null where they cannot be had. */
  weights(model: RecognizerId, rung: RungId): string | null;
  device(): Promise<DeviceFacts>;
  /** Names browser, app and runtime: see RegistryEffects. */
  fingerprint(facts: DeviceFacts): string;
  /** Memory of the page and its workers, bytes; null where the browser does not tell. */
  measureMemory(): Promise<number | null>;
  readonly publish: (event: EngineEvent) => void;
}

/** The engine as its worker holds it. After {@link Engine.dispose} nothing is published, stored or acknowledged. */
export interface Engine {
  /** What it does for one thread of a tab; the same object for the same client. */
  apiFor(client: EngineClient): EngineApi;
  /** The client died: its sessions finish what was received, and close. */
  clientGone(client: EngineClient): void;
  /** No session is open. */
  readonly idle: boolean;
  /**
   * Takes no more speech and finishes the utterances whose end was received. Resolves when they are stored, or after
   * ten seconds. Never rejects.
   */
  drain(): Promise<void>;
  /** Gives back models and GPU; calls under way reject with `engine-changed`. Never rejects. */
  dispose(): Promise<void>;
}

const RUNGS: readonly RungId[] = [
  'webgpu-fp16',
  'webgpu-fp32',
  'webgpu-q4',
  'webgpu-q8',
  'wasm-threads',
  'wasm',
];

/**
 * A session's end is announced on another port than its speech: the last of the speech may still
 * be on its way. Only waited for in full when the capture worker died.
 */
const LAST_SPEECH_LIMIT_MS = 3000;

/** Everything the engine worker does. One instance per worker. */
export function createEngine(effects: EngineEffects): Engine {
  const sessions = new Map<SessionId, { readonly session: Session; readonly speech: MessagePort }>();
  const health = new HealthLog(effects.now, (entry) => effects.publish({ type: 'health', entry }));
  const scheduler = new Scheduler();
  const pool = new RuntimePool(effects.spawn, {
    progress: (...progress) => registry.progress(...progress),
    lost: (runtime, error) => registry.runtimeLost(runtime, error),
  });
  const registry = new ModelRegistry({
    pool,
    health,
    memory: effects.memory,
    availableRungs: (model) => RUNGS.filter((rung) => effects.weights(model, rung) !== null),
    weights: (model, rung) => effects.weights(model, rung) ?? '',
    device: () => effects.device(),
    fingerprint: (model, facts) =>
      [effects.fingerprint(facts), ...RUNGS.map((rung) => effects.weights(model, rung))].join('\n'),
    publish: (status) => {
      effects.publish({ type: 'model', status });
      if (status.state === 'ready') for (const { session } of sessions.values()) session.retryHeld();
    },
  });
  const decoder = new Decoder(registry, scheduler);

  const sessionOf = (sessionId: SessionId): Session => {
    const open = sessions.get(sessionId);
    if (!open) throw new UnisonoError('internal', `There is no session ${sessionId}.`);
    return open.session;
  };
  const prepareFor = (settings: RecognitionSettings): void =>
    void registry.prepare(chooseRecognizer(settings, registry.measured()));

  const api: EngineApi = {
    prepare: (model) => registry.prepare(model),
    retest: (model) => registry.retest(model),
    models: async () => RECOGNIZER_IDS.map((model) => registry.status(model)),
    health: async () => health.entries(),

    openSession: async (config, speech) => {
      if (sessions.has(config.sessionId)) {
        throw new UnisonoError('internal', `Session ${config.sessionId} is open already.`);
      }
      const session = new Session(config, {
        decode: (request) => decoder.decode(request),
        now: effects.now,
        publish: effects.publish,
        acknowledge: (message) => speech.postMessage(message),
        warn: (code, message) => health.add('warning', 'engine', code, message),
      });
      sessions.set(config.sessionId, { session, speech });
      speech.onmessage = ({ data }: MessageEvent<SpeechMessage>) => session.receive(data);
      prepareFor(config.settings);
    },
    addSource: async (sessionId, source) => sessionOf(sessionId).addSource(source),
    updateSession: async (sessionId, settings) => {
      sessionOf(sessionId).update(settings);
      prepareFor(settings);
    },
    closeSession: async (sessionId) => {
      const session = sessionOf(sessionId);
      await Promise.race([session.ended(), delay(LAST_SPEECH_LIMIT_MS)]);
      await session.drain();
      sessions.get(sessionId)?.speech.close();
      sessions.delete(sessionId);
      scheduler.forgetSession(sessionId);
      return session.statistics;
    },
  };
  if (!__TEST_HOOKS__) return api;
  return {
    ...api,
    injectFault: async (model, fault) => {
      const loaded = registry.peek(model);
      if (!loaded) throw new UnisonoError('internal', `${model} is not ready.`);
      await loaded.runtime.injectFault(fault);
    },
  };
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
