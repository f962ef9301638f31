import type { PageState } from '@core/protocol/engine-worker.ts';
import type {
  EngineEvent,
  EngineReport,
  HealthEntry,
  ModelStatus,
  ModelId,
  SessionEvent,
} from '@core/protocol/engine.ts';
import { newTabId, type SessionId, type TabId } from '@core/protocol/ids.ts';
import type { TranslationView } from '@core/translation/types.ts';
import { CHANNELS, LOCKS, type Address, type Owner } from '@core/protocol/tabs.ts';
import { openBroadcast } from '@core/tabs/broadcast-transport.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { Presence } from '@core/tabs/presence.ts';
import type { Transport } from '@core/tabs/transport.ts';
import { wallClock } from '@core/util/clock.ts';
import { holdLock } from '@core/util/locks.ts';
import { Shield } from '@src/page/shield.ts';
import { EngineWorker } from './engine-worker.ts';

/** What the page tells of itself; see {@link EngineClient.update}. */
export interface PageUpdate {
  readonly visible: boolean;
  /** The sessions recorded here now. */
  readonly recording: readonly SessionId[];
  /** Words of this tab wait for an engine. */
  readonly working: boolean;
}

/** Lines of this tab's own log: attaching, and what its worker did before there was an engine. */
const OWN_LINES = 200;
/** What is only shown must not hang with an owner that does. */
const READ_LIMIT_MS = 5_000;

/** Where there is no BroadcastChannel there is nobody to hear. */
const nobody: Transport = {
  moves: false,
  post: () => undefined,
  listen: () => () => undefined,
  close: () => undefined,
};

/**
 * The page's one way to the engine, whichever tab has it. Starts this tab's engine worker, which may come to own the engine; attaches
 * to the owner and follows it. Lives on the main thread, does no work there and sees no audio.
 */
export class EngineClient {
  readonly tab: TabId;
  /** This browser cannot share an engine between tabs: this one has its own. */
  readonly singleTab: boolean;
  readonly presence: Presence;
  readonly #worker: EngineWorker;
  readonly #shield: Shield;
  readonly #connection: EngineConnection;
  readonly #end = new AbortController();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #ownerListeners = new Set<(owner: Owner | null) => void>();
  readonly #protocolListeners = new Set<(protocol: number) => void>();
  readonly #lines: HealthEntry[] = [];
  #page: PageUpdate = { visible: !document.hidden, recording: [], working: false };
  #owns = false;
  #searchingSinceMs = wallClock.now();

  /** Attaches to the engine, which is started if no tab has it. No model is loaded before it is asked for. */
  constructor({ tab = newTabId(), build = __BUILD__ }: { tab?: TabId; build?: number } = {}) {
    this.tab = tab;
    const locks = (navigator.locks as LockManager | undefined) ?? null;
    this.singleTab = !locks || !openBroadcast;
    const open = this.singleTab ? null : openBroadcast;
    // First of all: an engine that serves this tab takes it for dead without its lock.
    const lives = locks && holdLock(locks, LOCKS.tab(tab), { signal: this.#end.signal });
    this.#shield = new Shield(locks, tab);

    this.#connection = new EngineConnection({
      tab,
      address: 'page',
      port: nobody,
      open,
      clock: wallClock,
      ...(lives && { mayAttach: lives }),
      events: { event: (event) => this.#publish(event), acknowledged: () => undefined },
      onOwner: (owner) => this.#onOwner(owner),
      onPending: () => this.#tellWorker(),
      onForeignProtocol: (protocol) => {
        for (const listener of this.#protocolListeners) listener(protocol);
      },
    });
    this.#worker = new EngineWorker(
      { type: 'init', tab, build, singleTab: this.singleTab },
      {
        spawned: () => {
          this.#connection.usePort(new PortTransport(this.#openPort('page')));
          this.#tellWorker();
        },
        event: (event) => {
          if (event.type === 'log') this.#line(event.entry);
          if (event.type === 'ownership') this.#setOwns(event.owns);
        },
        gone: (reason, retryInMs) => {
          this.#setOwns(false);
          this.#log(
            'error',
            'engine-worker-gone',
            `The engine worker failed: ${reason}. Starting it again in ${retryInMs} ms.`,
          );
        },
      },
    );
    this.presence = new Presence({
      tab,
      build,
      control: open?.(CHANNELS.control) ?? nobody,
      locks,
      clock: wallClock,
    });
    this.#worker.start();
    this.#watchPage();
  }

  /** Whose engine this tab is attached to; null while there is none. */
  get owner(): Owner | null {
    return this.#connection.owner;
  }

  /** Loads the model if need be. Resolves with `ready` or `failed`, never rejects because of the model. */
  prepare(model: ModelId): Promise<ModelStatus> {
    return this.#connection.call('prepare', [model]);
  }

  /** All models the app knows, loaded or not. */
  models(): Promise<readonly ModelStatus[]> {
    return this.#connection.call('models', []);
  }

  /** The engine's health lines and this tab's own, oldest first; without an engine its own. */
  async health(): Promise<readonly HealthEntry[]> {
    const theirs = this.owner
      ? await this.#connection.call('health', [], { deadlineMs: READ_LIMIT_MS }).catch(() => [])
      : [];
    // Of the engine of this tab some lines come both ways.
    const lines = new Map([...theirs, ...this.#lines].map((line) => [`${line.atMs} ${line.code}`, line]));
    return [...lines.values()].sort((first, second) => first.atMs - second.atMs);
  }

  /** @throws {UnisonoError} `deadline` when no engine answers */
  report(): Promise<EngineReport> {
    return this.#connection.call('report', [], { deadlineMs: READ_LIMIT_MS });
  }

  /** Runs the model's self-test again, as after a driver update. */
  retest(model: ModelId): Promise<ModelStatus> {
    return this.#connection.call('retest', [model]);
  }

  /** What this tab reads from now on; each new owner has to be told again. */
  translate(view: TranslationView | null): Promise<void> {
    return this.#connection.call('translate', [view]);
  }

  /** Sessions that are open in any tab. */
  sessions(): Promise<readonly Omit<SessionEvent, 'type' | 'state'>[]> {
    return this.#connection.call('sessions', []);
  }

  /** @returns ends the subscription */
  subscribe(listener: (event: EngineEvent) => void): () => void {
    return listenIn(this.#listeners, listener);
  }

  /** Calls back when this tab is attached to an owner, and with null when that is over. */
  onOwner(listener: (owner: Owner | null) => void): () => void {
    return listenIn(this.#ownerListeners, listener);
  }

  /** Calls back with the number of another protocol that a tab with another build speaks. */
  onForeignProtocol(listener: (protocol: number) => void): () => void {
    return listenIn(this.#protocolListeners, listener);
  }

  /**
   * A capture worker's way to this tab's engine worker, the short one for when that owns the engine. It ends with that
   * worker; from then on the capture worker is served by the tab's channel, as one of another tab is.
   */
  openPort(sessionId: SessionId): MessagePort {
    return this.#openPort(`capture/${sessionId}`);
  }

  /** What has changed about the page: told to the other tabs, and to the election. */
  update(change: Partial<PageUpdate>): void {
    this.#page = { ...this.#page, ...change };
    const { visible, recording } = this.#page;
    this.presence.set({ visible, recording });
    this.#tellWorker();
    this.#setOwns(this.#owns);
  }

  /** Lets go of the engine if this tab has it; every pending call rejects with `engine-lost`. */
  dispose(): void {
    this.#end.abort();
    this.#listeners.clear();
    this.#ownerListeners.clear();
    this.#connection.close();
    this.presence.close();
    this.#worker.stop();
    this.#shield.set(false);
  }

  #watchPage(): void {
    const { signal } = this.#end;
    document.addEventListener('visibilitychange', () => this.update({ visible: !document.hidden }), {
      signal,
    });
    addEventListener('pagehide', () => this.#worker.post({ type: 'leave' }), { signal });
    // Back from the browser's memory of pages: the worker has left for good.
    window.addEventListener('pageshow', ({ persisted }) => persisted && this.#worker.start(), { signal });
  }

  #openPort(address: Exclude<Address, 'engine'>): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.post({ type: 'client', address, port: port1 }, [port1]);
    return port2;
  }

  #tellWorker(): void {
    const { visible, recording, working } = this.#page;
    const state: PageState = {
      visible,
      recording: recording.length > 0,
      working: working || this.#connection.pending > 0,
    };
    this.#worker.post({ type: 'page', state });
  }

  #setOwns(owns: boolean): void {
    this.#owns = owns;
    this.#shield.set(owns || this.#page.recording.length > 0);
  }

  #onOwner(owner: Owner | null): void {
    const nowMs = wallClock.now();
    if (owner) {
      const whose = owner.tab === this.tab ? 'this tab' : 'another tab';
      const attachMs = Math.round(nowMs - this.#searchingSinceMs);
      this.#log(
        'info',
        'engine-attached',
        `Attached to the shared engine of ${whose} (${owner.epoch}) after ${attachMs} ms.`,
      );
    } else this.#searchingSinceMs = nowMs;
    for (const listener of this.#ownerListeners) listener(owner);
  }

  #log(level: HealthEntry['level'], code: string, message: string): void {
    this.#line({ atMs: wallClock.now(), level, scope: 'engine', code, message });
  }

  #line(entry: HealthEntry): void {
    this.#lines.push(entry);
    if (this.#lines.length > OWN_LINES) this.#lines.shift();
    this.#publish({ type: 'health', entry });
  }

  #publish(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function listenIn<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
