import { toUnisonoError, toWire, UnisonoError } from '@core/protocol/errors.ts';
import {
  RECOGNIZER_IDS,
  SPEAKER_MODEL_IDS,
  TRANSLATOR_IDS,
  type EngineApi,
  type EngineEvent,
  type EngineReport,
  type ModelId,
  type RecognitionSettings,
  type RecognizerId,
  type RungId,
  type TranslatorId,
} from '@core/protocol/engine.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import { REVS_PER_EPOCH } from '@core/transcript/types.ts';
import { isTranslator } from '@core/translation/directions.ts';
import type { Clock } from '@core/util/clock.ts';
import { deferred } from '@core/util/deferred.ts';
import { chooseRecognizer } from './choose-recognizer.ts';
import type { EngineClient } from './client.ts';
import { CommitQueue } from './commit-queue.ts';
import { Decoder } from './decoder.ts';
import type { EngineStore } from './engine-store.ts';
import { HealthLog } from './health.ts';
import type { DeviceFacts } from './ladder.ts';
import { ModelRegistry } from './model-registry.ts';
import { OpenSessions } from './open-sessions.ts';
import { RuntimePool, type SpawnInference } from './runtime.ts';
import { Scheduler } from './scheduler.ts';
import type { SelfTestMemory } from './self-test-memory.ts';
import { SentenceTranslator } from './sentence-translator.ts';
import { Session, type StoredSession } from './session.ts';
import { Translations } from './translations.ts';

export interface EngineEffects {
  readonly tab: TabId;
  readonly build: number;
  readonly epoch: Epoch;
  readonly store: EngineStore;
  readonly clock: Clock;
  readonly spawn: SpawnInference;
  readonly memory: SelfTestMemory;
  /** Names the weight files a rung of a model needs; null where they cannot be had. */
  weights(model: ModelId, rung: RungId): string | null;
  /** Translators whose weights are on this device. */
  installed(): Promise<ReadonlySet<TranslatorId>>;
  device(): Promise<DeviceFacts>;
  /** Names browser, app and runtime: see RegistryEffects. */
  fingerprint(facts: DeviceFacts): string;
  readonly publish: (event: EngineEvent) => void;
  /** A model is ready: what else a recording needs can be fetched. */
  readonly onReady?: () => void;
  /** The store belongs to a later engine: nothing more comes of this one. */
  readonly onFenced?: () => void;
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

const MODEL_IDS: readonly ModelId[] = [...RECOGNIZER_IDS, ...TRANSLATOR_IDS, ...SPEAKER_MODEL_IDS];

/** A drain is for the sake of speed: what it does not finish, the next engine reads again. */
const DRAIN_LIMIT_MS = 10_000;

/** Everything the engine worker does, for all tabs. One instance per worker and epoch. */
export function createEngine(effects: EngineEffects): Engine {
  const { clock, epoch, store, tab, build } = effects;
  const sinceMs = clock.now();
  const now = (): number => clock.now();
  const clients = new Map<EngineClient, EngineApi>();
  const end = deferred<never>();
  end.promise.catch(() => undefined);
  let ended = false;
  let draining = false;
  let revs = epoch * REVS_PER_EPOCH;

  const publish = (event: EngineEvent): void => {
    if (ended) return;
    effects.publish(event);
    translations.observe(event);
  };
  const health = new HealthLog(now, (entry) => publish({ type: 'health', entry }));
  const halt = (reason: UnisonoError): void => {
    ended = true;
    end.reject(reason);
    translations.close();
    sessions.halt(reason);
    commits.close();
    registry.close();
  };
  const fenced = (error: UnisonoError): void => {
    halt(error);
    effects.onFenced?.();
  };
  const commits = new CommitQueue({
    store,
    clock,
    changed: (error) => {
      if (error) health.add('error', 'storage', error.code, error.message);
      else health.add('info', 'storage', 'storage-again', 'Words are stored again.');
      publish({ type: 'storage', error: error && toWire(error) });
    },
    fenced,
  });
  const scheduler = new Scheduler();
  const pool = new RuntimePool(effects.spawn, {
    progress: (...progress) => registry.progress(...progress),
    notStored: ({ code, message }) => health.add('warning', 'storage', code, message),
    lost: (runtime, error) => registry.runtimeLost(runtime, error),
  });
  const registry: ModelRegistry = new ModelRegistry({
    pool,
    health,
    clock,
    inUse: (model) =>
      isTranslator(model)
        ? sentences.needs(model, translations.directions())
        : sessions.all().some(({ settings }) => choose(settings) === model),
    memory: effects.memory,
    availableRungs: (model) => RUNGS.filter((rung) => effects.weights(model, rung) !== null),
    weights: (model, rung) => effects.weights(model, rung) ?? '',
    device: () => effects.device(),
    fingerprint: (model, facts) =>
      [effects.fingerprint(facts), ...RUNGS.map((rung) => effects.weights(model, rung))].join('\n'),
    publish: (status) => {
      publish({ type: 'model', status });
      if (status.state !== 'ready') return;
      effects.onReady?.();
      for (const session of sessions.all()) session.retryHeld();
      sentences.modelsChanged();
      translations.retryHeld();
    },
  });
  const decoder = new Decoder(registry, scheduler);
  const sentences = new SentenceTranslator({ registry, scheduler, installed: () => effects.installed() });
  const translations = new Translations({
    store,
    translate: (request) => sentences.translate(request),
    askAnew: (direction) => sentences.askAnew(direction),
    publish,
    notStored: ({ code, message }) =>
      health.add('warning', 'storage', code, `Translations are shown and not kept: ${message}`),
    fenced,
  });
  const choose = (settings: RecognitionSettings): RecognizerId =>
    chooseRecognizer(settings, registry.measured());
  const prepareFor = (settings: RecognitionSettings): void => void registry.prepare(choose(settings));

  const storedOf = async (sessionId: SessionId): Promise<StoredSession> => {
    await commits.forget(sessionId);
    try {
      const progress = await store.progress(sessionId);
      const segments = await store.segments(sessionId);
      return { progress, running: segments.filter(({ state }) => state !== 'final') };
    } catch (thrown) {
      // Then all that is sent is read again, into segments of the same ids.
      const { code, message } = toUnisonoError(thrown, 'storage-failed');
      health.add('error', 'storage', code, message);
      return { progress: [], running: [] };
    }
  };
  const sessions: OpenSessions = new OpenSessions({
    stored: storedOf,
    begin: (client, config, stored) =>
      new Session(config, stored, {
        decode: (request) => decoder.decode(request),
        now,
        nextRev: () => (revs += 1),
        publish,
        acknowledge: (message) => client.acknowledged(config.sessionId, message),
        note: (note) => commits.note(note),
        commit: (commit, done) =>
          commits.add(commit, () => {
            translations.stored(commit);
            done();
          }),
        warn: (code, message) => health.add('warning', 'engine', code, message),
      }),
    changed: (event) => {
      health.add('info', 'engine', `session-${event.state}`, `${event.sessionId} of tab ${event.tab}`);
      publish(event);
    },
    over: (sessionId, settings) => {
      scheduler.forgetSession(sessionId);
      registry.used(choose(settings));
    },
  });

  const report = (): EngineReport => ({
    epoch,
    tab,
    build,
    sinceMs,
    loads: registry.loads,
    modelBytes: registry.resident().reduce((sum, { bytes }) => sum + bytes, 0),
    clients: clients.size,
    sessions: sessions.list(),
    queued: scheduler.waiting,
  });

  const serve = (client: EngineClient): EngineApi => {
    const settled = <T>(work: Promise<T>): Promise<T> => Promise.race([end.promise, work]);
    const api: EngineApi = {
      prepare: (model) => settled(registry.prepare(model)),
      retest: (model) => settled(registry.retest(model)),
      models: () => settled(Promise.resolve(MODEL_IDS.map((model) => registry.status(model)))),
      health: () => settled(Promise.resolve(health.entries())),
      report: () => settled(Promise.resolve(report())),
      sessions: async () => sessions.list().map(({ sessionId, tab }) => ({ sessionId, tab })),
      translate: async (view) => translations.setView(client, view),

      openSession: async (config) => {
        if (draining) throw changing();
        const progress = await settled(sessions.open(client, config));
        prepareFor(config.settings);
        return progress;
      },
      addSource: async (sessionId, source) => sessions.of(client, sessionId)?.addSource(source),
      updateSession: async (sessionId, settings) => {
        const session = sessions.of(client, sessionId);
        if (!session) return;
        session.update(settings);
        prepareFor(settings);
      },
      speech: (sessionId, message) => sessions.of(client, sessionId)?.receive(message),
      closeSession: (sessionId) => settled(sessions.close(client, sessionId)),
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
  };

  return {
    apiFor: (client) => {
      const known = clients.get(client);
      if (known) return known;
      const api = serve(client);
      clients.set(client, api);
      const who = `${client.address} of tab ${client.tab}`;
      health.add('info', 'engine', 'client-attached', `${who} shares the engine, as one of ${clients.size}.`);
      return api;
    },
    clientGone: (client) => {
      if (!clients.delete(client)) return;
      health.add('info', 'engine', 'client-gone', `${client.address} of tab ${client.tab}`);
      translations.clientGone(client);
      sessions.clientGone(client);
    },
    get idle() {
      return sessions.size === 0;
    },
    drain: async () => {
      draining = true;
      const translated = translations.drain();
      const { promise: late, resolve } = deferred<void>();
      const callOff = clock.after(DRAIN_LIMIT_MS, resolve);
      const read = sessions.drain().then(() => commits.flush());
      await Promise.race([late, Promise.all([translated, read])]);
      callOff();
    },
    dispose: async () => {
      halt(changing());
      await pool.shutDown();
    },
  };
}

const changing = (): UnisonoError =>
  new UnisonoError('engine-changed', 'The engine moves to another tab.', { detail: { mayHaveRun: 'yes' } });
