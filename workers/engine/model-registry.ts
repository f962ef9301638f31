import { UnisonoError, toUnisonoError, toWire } from '@core/protocol/errors.ts';
import type { EngineReport, ModelStatus, ModelId, RungId, SelfTestResult } from '@core/protocol/engine.ts';
import type { Clock } from '@core/util/clock.ts';
import { MODELS, weightBytes } from '@workers/model-store/catalog.ts';
import type { Measured } from './choose-recognizer.ts';
import { candidateKey, describeCandidate, ladder, type Candidate, type DeviceFacts } from './ladder.ts';
import { ModelMemory, weightBudget, type Resident } from './model-memory.ts';
import type { LoadedModel, Runtime } from './runtime.ts';
import {
  loadCandidate,
  releaseModel,
  testCandidate,
  testCandidates,
  type SelfTestEffects,
} from './self-test.ts';
import type { SelfTestMemory, TestedCandidate } from './self-test-memory.ts';

export interface RegistryEffects extends Omit<SelfTestEffects, 'makeRoom'> {
  readonly clock: Clock;
  /** A session reads with the model. */
  inUse(model: ModelId): boolean;
  readonly memory: SelfTestMemory;
  /** Rungs for which the model's weights can be had. */
  availableRungs(model: ModelId): readonly RungId[];
  device(): Promise<DeviceFacts>;
  /** Browser, app, ONNX Runtime and weights: self-tests made under another are made again. */
  fingerprint(model: ModelId, facts: DeviceFacts): string;
  publish(status: ModelStatus): void;
}

interface Entry {
  status: ModelStatus;
  tested: readonly TestedCandidate[];
  current: LoadedModel | null;
  loading: Promise<LoadedModel> | null;
  /** Faults of each candidate since the user last asked for the model. */
  readonly faults: Map<string, number>;
  readonly progress: Map<string, { readonly loadedBytes: number; readonly totalBytes: number }>;
}

/**
 * The one place that loads models. Each is loaded once however many callers ask at once, on the
 * fastest candidate that read the known-answer clip right; a fault moves it one candidate on.
 * Lives in the engine worker.
 */
export class ModelRegistry {
  readonly #effects: RegistryEffects;
  readonly #entries = new Map<ModelId, Entry>();
  readonly #loads: EngineReport['loads'][number][] = [];
  readonly #memory: ModelMemory;
  readonly #loader: SelfTestEffects;
  #facts: DeviceFacts | null = null;

  constructor(effects: RegistryEffects) {
    this.#effects = effects;
    this.#memory = new ModelMemory({
      clock: effects.clock,
      resident: () => this.resident(),
      inUse: (model) => effects.inUse(model) || this.#entry(model).loading !== null,
      release: (model, reason) => this.#release(model, reason),
    });
    this.#loader = {
      pool: effects.pool,
      health: effects.health,
      weights: (model, rung) => effects.weights(model, rung),
      makeRoom: (model, candidate) => this.#makeRoom(model, candidate),
    };
  }

  /** Loads the model if need be, also after it failed. Never rejects: the status tells. */
  async prepare(model: ModelId): Promise<ModelStatus> {
    const entry = this.#entry(model);
    if (entry.status.state === 'failed' && !entry.loading) {
      entry.faults.clear();
      if (!entry.tested.some(isRight)) entry.tested = [];
    }
    await this.#start(entry).catch(() => undefined);
    return entry.status;
  }

  /** The model, once it answers. @throws UnisonoError when it failed and nobody has asked for it anew. */
  async ready<Id extends ModelId>(model: Id): Promise<LoadedModel<Id>> {
    const entry = this.#entry(model);
    const { error, state } = entry.status;
    if (state === 'failed' && !entry.loading) {
      throw new UnisonoError(error?.code ?? 'model-failed', error?.message ?? 'The model failed.');
    }
    return (await this.#start(entry)) as LoadedModel<Id>;
  }

  /** The model if it answers right now. */
  peek<Id extends ModelId>(model: Id): LoadedModel<Id> | null {
    const current = this.#entries.get(model)?.current;
    return current?.runtime.alive ? (current as LoadedModel<Id>) : null;
  }

  status(model: ModelId): ModelStatus {
    return this.#entry(model).status;
  }

  measured(): ReadonlyMap<ModelId, Measured> {
    return new Map(
      [...this.#entries].map(([model, { status, current, tested }]) => {
        const key = current && candidateKey(current.candidate);
        const serving = tested.find(({ candidate }) => candidateKey(candidate) === key);
        const decodeMs = serving?.result.decodeMs ?? null;
        return [model, { failed: status.state === 'failed', rung: status.rung, decodeMs }];
      }),
    );
  }

  /** Every time a model became ready. */
  get loads(): EngineReport['loads'] {
    return this.#loads;
  }

  /** The models in memory. */
  resident(): readonly Resident[] {
    return [...this.#entries.values()].flatMap(({ current }) =>
      current?.runtime.alive
        ? [{ model: current.model, device: current.candidate.device, bytes: current.bytes }]
        : [],
    );
  }

  /** The model was wanted until now: it stays in memory for a while. */
  used(model: ModelId): void {
    this.#memory.use(model);
  }

  /** Releases nothing more by itself. */
  close(): void {
    this.#memory.close();
  }

  /** Forgets what the self-test showed and runs it again. */
  async retest(model: ModelId): Promise<ModelStatus> {
    const entry = this.#entry(model);
    await entry.loading?.catch(() => undefined);
    await this.#effects.memory.forget(model).catch(() => undefined);
    const { current } = entry;
    entry.current = null;
    await releaseModel(current);
    entry.tested = [];
    entry.faults.clear();
    return this.prepare(model);
  }

  /**
   * A call failed: ends the runtime, whose state nobody knows, and loads the model on the next
   * candidate. Callers that failed on the same instance share one step.
   * @returns when the model answers again. @throws UnisonoError when no candidate is left.
   */
  async stepDown(failed: LoadedModel, cause: unknown): Promise<void> {
    const entry = this.#entry(failed.model);
    if (entry.current !== failed) {
      await this.ready(failed.model);
      return;
    }
    const error = toUnisonoError(cause, 'model-failed');
    const from = describeCandidate(failed.candidate);
    entry.current = null;
    addFault(entry, failed.candidate);
    failed.runtime.close();
    for (const other of this.#entries.values()) {
      if (other.current?.runtime !== failed.runtime) continue;
      other.current = null;
      this.#start(other).catch(() => undefined);
    }
    const { candidate } = await this.#start(entry);
    const to = describeCandidate(candidate);
    const message = `${failed.model} failed on ${from} (${error.message}) and goes on with ${to}.`;
    this.#effects.health.add('warning', 'model', error.code, message);
  }

  /** The runtime itself is gone: every model on it moves on. */
  runtimeLost(runtime: Runtime, error: UnisonoError): void {
    const lost = [...this.#entries.values()].flatMap(({ current }) =>
      current?.runtime === runtime ? [current] : [],
    );
    for (const loaded of lost) this.stepDown(loaded, error).catch(() => undefined);
  }

  /** Bytes of one file of the model's weights arrived. Published at each full percent. */
  progress(model: ModelId, file: string, loadedBytes: number, totalBytes: number): void {
    const entry = this.#entry(model);
    if (!entry.loading) return;
    entry.progress.set(file, { loadedBytes, totalBytes });
    const progress = { loadedBytes: 0, totalBytes: 0 };
    for (const part of entry.progress.values()) {
      progress.loadedBytes += part.loadedBytes;
      progress.totalBytes += part.totalBytes;
    }
    const before = entry.status.progress;
    if (progress.loadedBytes >= progress.totalBytes) this.#set(entry, { state: 'loading', progress: null });
    else if (!before || percent(before) !== percent(progress))
      this.#set(entry, { state: 'downloading', progress });
  }

  #entry(model: ModelId): Entry {
    let entry = this.#entries.get(model);
    if (!entry) {
      entry = {
        status: { model, state: 'absent', rung: null, progress: null, selfTest: [], error: null },
        tested: [],
        current: null,
        loading: null,
        faults: new Map(),
        progress: new Map(),
      };
      this.#entries.set(model, entry);
    }
    return entry;
  }

  #set(entry: Entry, change: Partial<ModelStatus>): void {
    entry.status = { ...entry.status, ...change };
    this.#effects.publish(entry.status);
  }

  async #makeRoom(model: ModelId, { rung, device }: Candidate): Promise<void> {
    if (!this.#facts) return;
    const bytes = weightBytes(MODELS[model], rung);
    await this.#memory.makeRoom(bytes, device, weightBudget(this.#facts, device));
  }

  /** It is loaded again when it is wanted. */
  async #release(model: ModelId, reason: 'idle' | 'room'): Promise<void> {
    const entry = this.#entry(model);
    const { current } = entry;
    if (!current || entry.loading) return;
    entry.current = null;
    this.#set(entry, { state: 'absent', rung: null });
    const why = reason === 'idle' ? 'nobody has used it for a while' : 'another model needs the memory';
    this.#effects.health.add('info', 'model', 'model-released', `${model}: ${why}.`);
    await releaseModel(current);
  }

  #start(entry: Entry): Promise<LoadedModel> {
    this.#memory.use(entry.status.model);
    if (entry.current?.runtime.alive) return Promise.resolve(entry.current);
    entry.loading ??= this.#choose(entry)
      .then((loaded) => {
        entry.current = loaded;
        const { model, loadMs, bytes } = loaded;
        this.#loads.push({ model, loadMs, bytes });
        this.#set(entry, { state: 'ready', rung: loaded.candidate.rung, progress: null, error: null });
        return loaded;
      })
      .catch((thrown: unknown) => {
        const error = toUnisonoError(thrown, 'model-failed');
        this.#set(entry, { state: 'failed', rung: null, progress: null, error: toWire(error) });
        this.#effects.health.add('error', 'model', error.code, `${entry.status.model}: ${error.message}`);
        throw error;
      })
      .finally(() => {
        entry.loading = null;
      });
    return entry.loading;
  }

  async #choose(entry: Entry): Promise<LoadedModel> {
    const { model } = entry.status;
    entry.progress.clear();
    this.#set(entry, { state: 'loading', rung: null, error: null });
    const facts = await this.#effects.device();
    this.#facts = facts;
    const { candidates, skipped } = ladder(facts, this.#effects.availableRungs(model));
    const fingerprint = this.#effects.fingerprint(model, facts);
    if (entry.tested.length === 0) {
      const remembered = await this.#effects.memory.read(model).catch(() => undefined);
      if (remembered?.fingerprint === fingerprint) entry.tested = remembered.tested;
    }
    const show = (results: readonly SelfTestResult[]): void => {
      this.#set(entry, { selfTest: [...results, ...skipped] });
    };
    if (entry.tested.length > 0) {
      show(entry.tested.map(({ result }) => result));
      return this.#loadFastest(entry);
    }
    this.#set(entry, { state: 'testing' });
    const { tested, winner, weightError } = await testCandidates(this.#loader, model, candidates, show);
    if (!tested.some(isRight) && weightError) throw weightError;
    entry.tested = tested;
    if (!weightError && winner) {
      await this.#effects.memory.write(model, { fingerprint, tested }).catch(() => undefined);
    }
    return winner ?? this.#loadFastest(entry);
  }

  async #loadFastest(entry: Entry): Promise<LoadedModel> {
    let last = new UnisonoError(
      entry.tested.some(({ result }) => result.outcome === 'wrong') ? 'model-wrong-answer' : 'model-failed',
      entry.faults.size > 0
        ? 'It failed on every way to run it on this device.'
        : 'No way to run it on this device passed the self-test.',
    );
    for (;;) {
      const next = fastestLeft(entry);
      if (!next) throw last;
      try {
        return await this.#loadOrTest(entry, next);
      } catch (thrown) {
        last = toUnisonoError(thrown, 'model-failed');
        addFault(entry, next.candidate);
      }
    }
  }

  /** A candidate that the self-test left out as not needed is tested now. */
  async #loadOrTest(entry: Entry, next: TestedCandidate): Promise<LoadedModel> {
    const { model } = entry.status;
    if (isRight(next)) return loadCandidate(this.#loader, model, next.candidate);
    const { loaded, result, error } = await testCandidate(this.#loader, model, next.candidate);
    entry.tested = entry.tested.map((one) => (one.candidate === next.candidate ? { ...one, result } : one));
    if (loaded) return loaded;
    throw error ?? new UnisonoError('model-wrong-answer', 'It misread the known-answer clip.');
  }
}

const isRight = ({ result }: TestedCandidate): boolean => result.outcome === 'right';

const percent = ({ loadedBytes, totalBytes }: { loadedBytes: number; totalBytes: number }): number =>
  Math.floor((loadedBytes * 100) / Math.max(1, totalBytes));

const addFault = ({ faults }: Entry, candidate: Candidate): void => {
  const key = candidateKey(candidate);
  faults.set(key, (faults.get(key) ?? 0) + 1);
};

/**
 * One fault takes a candidate out. The last one gets a second chance: a worker may have died for
 * reasons of its own, and nothing would be left.
 */
function fastestLeft({ tested, faults }: Entry): TestedCandidate | undefined {
  const right = tested.filter(isRight).sort((a, b) => (a.result.decodeMs ?? 0) - (b.result.decodeMs ?? 0));
  const inOrder = [...right, ...tested.filter(({ result }) => result.outcome === 'skipped')];
  const faultsOf = ({ candidate }: TestedCandidate): number => faults.get(candidateKey(candidate)) ?? 0;
  const last = inOrder.at(-1);
  return inOrder.find((one) => faultsOf(one) === 0) ?? (last && faultsOf(last) === 1 ? last : undefined);
}
