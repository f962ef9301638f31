import { toWire } from '../protocol/errors.ts';
import type { HealthEntry } from '../protocol/engine.ts';
import type { PageState } from '../protocol/engine-worker.ts';
import type { Epoch, TabId } from '../protocol/ids.ts';
import {
  CHANNELS,
  LOCKS,
  type ControlMessage,
  type Envelope,
  type Owner,
  type TabState,
} from '../protocol/tabs.ts';
import { pause, type Clock } from '../util/clock.ts';
import type { Locks } from '../util/locks.ts';
import { retryAfterMs } from '../util/retry.ts';
import { heirOf } from './hand-over.ts';
import { OwnerWatch } from './owner-watch.ts';
import { Stealing } from './stealing.ts';
import { LEFT, TAKING_OVER, Tenure, type Reason, type RunningEngine } from './tenure.ts';
import type { OpenTransport, Transport } from './transport.ts';

/** The right to run the engine, until `signal` aborts: then all that is said or written in its name is void. */
export interface Ownership {
  readonly owner: Owner;
  readonly signal: AbortSignal;
  /** The store belongs to a later engine: ends this one; its tab waits for the lock again. */
  fenced(): void;
}

export interface CandidateEffects {
  readonly tab: TabId;
  readonly build: number;
  readonly locks: Locks;
  readonly clock: Clock;
  /** Opens the control channel to listen; null where there is no BroadcastChannel. */
  readonly open: OpenTransport | null;
  /** To every tab, this one included. */
  announce(message: ControlMessage): void;
  /** Takes the next epoch, above every stored one and the one given. */
  nextEpoch(above: number): Promise<Epoch>;
  boot(ownership: Ownership): Promise<RunningEngine>;
  log(level: HealthEntry['level'], code: string, message: string): void;
  /** Whether this tab is the owner now. Its page takes the shield while it is. */
  onOwnership?(owns: boolean): void;
}

const ALIVE_EVERY_MS = 2_000;
/** Importing the engine's code holds the thread; seconds on a slow phone. */
const BOOT_BUSY_MS = 10_000;
/** Loading the models again costs seconds: the engine does not change its tab more often for mere comfort. */
const SHORTEST_TENURE_MS = 30_000;
/** A tab that does not take what is handed to it in this time is gone or frozen. */
const HEIR_LIMIT_MS = 3_000;

/**
 * One per tab, in its engine worker. Waits for the lock as long as it takes, runs the engine while it holds it, and waits
 * again. The lock notices deaths, the signs of life notice stalls, and the epoch makes void what a robbed owner still
 * does. Knows nothing of workers or the browser: all it acts on comes in as effects.
 */
export class Candidate {
  readonly #effects: CandidateEffects;
  readonly #control: Transport | null;
  readonly #watch: OwnerWatch;
  readonly #stealing: Stealing;
  readonly #tabs = new Map<TabId, TabState>();
  #page: PageState = { visible: false, working: false, recording: false };
  #tenure: Tenure | null = null;
  /** Ends the wait for the lock, or for the next try. */
  #waiting = new AbortController();
  #takeAs: Exclude<Reason, 'free'> | null = null;
  #heardAnother = false;
  #left = false;

  /** Begins to wait. */
  constructor(effects: CandidateEffects) {
    this.#effects = effects;
    this.#watch = new OwnerWatch(effects.clock.now());
    this.#stealing = new Stealing({
      clock: effects.clock,
      watch: this.#watch,
      willing: () => !this.#left && !this.#tenure && this.#page.visible && this.#page.working,
      before: () =>
        [...this.#tabs.values()].filter(({ visible, tab }) => visible && tab < effects.tab).length,
      ask: () => effects.announce({ type: 'who' }),
      steal: () => this.#take('silent'),
      log: (...line) => effects.log(...line),
    });
    this.#control = effects.open?.(CHANNELS.control) ?? null;
    this.#control?.listen((envelope) => this.#hear(envelope));
    effects.announce({ type: 'who' });
    void this.#run();
  }

  /** The page's state changed. */
  page(state: PageState): void {
    this.#page = state;
    this.#stealing.check();
    this.#considerHandOver();
  }

  /** The page goes away: lets go at once, so that another tab need not wait for the death. Final. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    const tenure = this.#tenure;
    if (tenure?.owner) this.#effects.announce({ type: 'leaving', owner: tenure.owner });
    tenure?.lose('left');
    this.#waiting.abort();
    this.#stealing.stop();
    this.#control?.close();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#left) {
      const reason = this.#takeAs ?? 'free';
      this.#takeAs = null;
      this.#waiting = new AbortController();
      const outcome = await this.#compete(reason, retryAfterMs(failures));
      failures = outcome === 'failed' ? failures + 1 : 0;
      if (outcome === 'failed')
        await pause(this.#effects.clock, retryAfterMs(failures - 1), this.#waiting.signal);
    }
  }

  /** Waits for the lock, or takes it, and owns the engine until it is lost or given back. */
  async #compete(reason: Reason, retryInMs: number): Promise<'served' | 'failed'> {
    const tenure = new Tenure(reason);
    const { signal } = this.#waiting;
    const options: LockOptions = reason === 'free' ? { signal } : { steal: true };
    try {
      await this.#effects.locks.request(LOCKS.engine, options, async () => {
        if (this.#left) return;
        this.#tenure = tenure;
        try {
          await this.#own(tenure, retryInMs);
        } finally {
          if (this.#tenure === tenure) this.#tenure = null;
          this.#stealing.check();
        }
      });
      return tenure.failed ? 'failed' : 'served';
    } catch {
      // Robbed; or the wait was ended to leave or to steal. A browser that gives no locks is asked again, later.
      if (this.#tenure !== tenure) return signal.aborted ? 'served' : 'failed';
      tenure.lose('stolen');
      return 'served';
    }
  }

  async #own(tenure: Tenure, retryInMs: number): Promise<void> {
    const effects = this.#effects;
    const { tab, build, clock } = effects;
    let stopBeating = (): void => undefined;
    try {
      const epoch = await tenure.whileOwned(effects.nextEpoch(this.#watch.epoch));
      if (epoch === null) return;
      effects.onOwnership?.(true);
      const owner = this.#enter(tenure, { epoch, tab, build, phase: 'booting' });
      if (this.#heardAnother)
        effects.log(
          'info',
          'engine-takeover',
          `Taking over the shared engine: ${TAKING_OVER[tenure.reason]}.`,
        );
      effects.log('info', 'engine-creating', `Creating the shared engine ${epoch} …`);
      const startedAtMs = clock.now();
      stopBeating = this.#beat(tenure);
      const booting = effects.boot({
        owner,
        signal: tenure.signal,
        fenced: () => tenure.lose('newer-engine'),
      });
      // One that comes after the lock was lost is of no use to anybody.
      void booting.then(
        (late) => (tenure.signal.aborted ? late.dispose() : undefined),
        () => undefined,
      );
      tenure.engine = await tenure.whileOwned(booting);
      if (tenure.signal.aborted || !tenure.engine) return;
      tenure.readyAtMs = clock.now();
      effects.log(
        'info',
        'engine-created',
        `Shared engine ${epoch} created in ${Math.round(tenure.readyAtMs - startedAtMs)} ms.`,
      );
      this.#enter(tenure, { ...owner, phase: 'ready' });
      effects.announce({ type: 'who' });

      const heir = await tenure.whileOwned(tenure.heir.promise);
      if (heir !== null) await this.#handOver(tenure, tenure.engine, { ...owner, phase: 'draining' }, heir);
    } catch (thrown) {
      if (tenure.signal.aborted) return;
      tenure.failed = true;
      const error = toWire(thrown);
      const owner = tenure.owner ?? { epoch: this.#watch.epoch as Epoch, tab, build, phase: 'booting' };
      effects.log(
        'error',
        'engine-boot-failed',
        `The shared engine could not be created: ${error.message} Trying again in ${retryInMs} ms.`,
      );
      effects.announce({ type: 'boot-failed', owner, error, retryInMs });
    } finally {
      stopBeating();
      if (tenure.loss)
        effects.log('info', 'engine-left', `Let go of the shared engine: ${LEFT[tenure.loss]}.`);
      void tenure.engine?.dispose();
      effects.onOwnership?.(false);
    }
  }

  /** Gives the idle engine to another tab. The lock is kept until that tab takes it, lest a third one boots in between. */
  async #handOver(tenure: Tenure, engine: RunningEngine, draining: Owner, heir: TabId): Promise<void> {
    this.#effects.log('info', 'engine-handover', 'Handing the shared engine over to another tab.');
    this.#enter(tenure, draining);
    await tenure.whileOwned(engine.drain().then(() => engine.dispose()));
    if (tenure.signal.aborted) return;
    tenure.engine = null;
    tenure.loss = 'handed-over';
    this.#tabs.delete(heir); // It says so again if it lives.
    this.#effects.announce({ type: 'hand-over', owner: draining, to: heir });
    await tenure.whileOwned(pause(this.#effects.clock, HEIR_LIMIT_MS));
  }

  /** Says who owns the engine, and in which phase. */
  #enter(tenure: Tenure, owner: Owner): Owner {
    tenure.owner = owner;
    this.#watch.heard({ type: 'owner', owner }, this.#effects.clock.now());
    this.#effects.announce({ type: 'owner', owner });
    return owner;
  }

  /** Signs of life, from now until the result is called. */
  #beat(tenure: Tenure): () => void {
    const effects = this.#effects;
    let cancel = (): void => undefined;
    const beat = (): void => {
      const { owner } = tenure;
      if (!owner || tenure.signal.aborted) return;
      const busyMs = owner.phase === 'booting' ? BOOT_BUSY_MS : 0;
      effects.announce({ type: 'alive', owner, busyUntilMs: effects.clock.now() + busyMs });
      this.#considerHandOver();
      cancel = effects.clock.after(ALIVE_EVERY_MS, beat);
    };
    beat();
    return () => cancel();
  }

  #hear({ tab, body }: Envelope): void {
    const message = body as ControlMessage;
    if (tab === this.#effects.tab) {
      if (message.type === 'who') this.#stealing.echoed();
      return;
    }
    switch (message.type) {
      case 'who':
        if (this.#tenure?.owner) this.#effects.announce({ type: 'owner', owner: this.#tenure.owner });
        break;
      case 'tab':
        this.#tabs.set(message.state.tab, message.state);
        this.#considerHandOver();
        break;
      case 'tab-gone':
        this.#tabs.delete(message.tab);
        break;
      case 'owner':
      case 'alive':
      case 'leaving':
      case 'boot-failed':
      case 'hand-over':
        this.#hearOwner(message);
        break;
      default: // Between engines and their clients.
    }
  }

  #hearOwner(message: Extract<ControlMessage, { owner: unknown }>): void {
    const { epoch } = message.owner;
    const own = this.#tenure?.owner;
    if (own && epoch > own.epoch) this.#tenure?.lose('newer-engine');
    if (!this.#watch.heard(message, this.#effects.clock.now())) return;
    this.#heardAnother = true;
    if (message.type === 'hand-over' && message.to === this.#effects.tab) void this.#takeHandedOver(epoch);
  }

  /** A frozen tab hears of it late: by the time its own echo comes, it has heard who owns the engine meanwhile. */
  async #takeHandedOver(epoch: Epoch): Promise<void> {
    if ((await this.#stealing.hearEcho()) && this.#watch.epoch === epoch) this.#take('handed-over');
  }

  #considerHandOver(): void {
    const tenure = this.#tenure;
    if (!tenure?.engine?.idle || tenure.owner?.phase !== 'ready') return;
    if (this.#effects.clock.now() - tenure.readyAtMs < SHORTEST_TENURE_MS) return;
    const heir = heirOf({ ...this.#page, build: this.#effects.build }, this.#tabs.values());
    if (heir !== null) tenure.heir.resolve(heir);
  }

  #take(reason: Exclude<Reason, 'free'>): void {
    if (this.#left || this.#tenure) return;
    this.#takeAs = reason;
    this.#waiting.abort();
  }
}
