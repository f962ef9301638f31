import { LOCKS } from '@core/protocol/tabs.ts';
import type { TabId } from '@core/protocol/ids.ts';
import type { OpenTransport, Transport } from '@core/tabs/transport.ts';
import type { Clock } from '@core/util/clock.ts';
import { copied } from './copied.ts';
import { MemoryBus } from './memory-transport.ts';
import { randomFrom } from './random.ts';
import { SimLocks } from './sim-locks.ts';
import { TaskQueue, type Task } from './task-queue.ts';

/** Lets every promise that is settled already be acted on, and what follows from that. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** 2024-01-01: clocks that were subtracted in the wrong order show. */
const START_MS = 1_704_067_200_000;

/**
 * A browser with one origin, in Node, on a clock of its own: tabs of several threads, Web Locks, BroadcastChannels,
 * MessagePorts, storage. One task runs at a time, and all that its promises cause runs before the next one, so that a
 * seed gives the same walk each time. What is no task of this world (setTimeout, streams, fetch) must not be used by
 * the code under test.
 */
export class World {
  readonly locks = new SimLocks();
  readonly bus = new MemoryBus((to, run, from) => this.#deliver(to, run, from), copied);
  readonly tabs: SimTab[] = [];
  /** Between 0 and this a message or a transaction takes its time. */
  latencyMs = 2;
  /** What a task threw: no code under test may. */
  readonly thrown: unknown[] = [];
  readonly random: () => number;
  readonly #tasks = new TaskQueue();
  readonly #threads = new Map<string, SimThread>();
  readonly #arrivals = new Map<string, number>();
  #nowMs = START_MS;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get elapsedMs(): number {
    return this.#nowMs - START_MS;
  }

  /** Tasks run so far. */
  tasksRun = 0;

  openTab(id: TabId): SimTab {
    const tab = new SimTab(this, id);
    this.tabs.push(tab);
    return tab;
  }

  delayMs(): number {
    return this.random() * this.latencyMs;
  }

  /** Runs it in `afterMs`; in a thread: not while its tab is frozen, not once the thread is dead. */
  schedule(afterMs: number, run: () => void, thread: SimThread | null = null): Task {
    return this.#tasks.add(this.#nowMs + afterMs, run, thread);
  }

  /** Lets that much time pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const task = this.#tasks.takeUntil(endMs);
      if (!task) break;
      const thread = task.owner as SimThread | null;
      if (thread && !thread.alive) continue;
      this.#nowMs = Math.max(this.#nowMs, task.atMs);
      if (thread?.tab.frozen) {
        thread.tab.heldTasks.push(task);
        continue;
      }
      try {
        task.run();
      } catch (error) {
        this.thrown.push(error);
      }
      this.tasksRun += 1;
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** Lets what a command did take effect, without time passing. */
  settle(): Promise<void> {
    return settle();
  }

  resume(tasks: readonly Task[]): void {
    for (const { run, owner } of tasks) this.#tasks.add(this.#nowMs, run, owner);
  }

  addThread(thread: SimThread): void {
    this.#threads.set(thread.name, thread);
  }

  /** Runs it in the receiving thread, after everything the sending one has sent there before. */
  deliver(to: SimThread, run: () => void, from: SimThread): void {
    this.#deliver(to.name, run, from.name);
  }

  #deliver(to: string, run: () => void, from: string): void {
    const receiver = this.#threads.get(to);
    if (!receiver?.alive || !this.#threads.get(from)?.alive) return;
    const pair = `${from} ${to}`;
    const atMs = Math.max(this.#arrivals.get(pair) ?? 0, this.#nowMs + this.delayMs());
    this.#arrivals.set(pair, atMs);
    this.schedule(atMs - this.#nowMs, run, receiver);
  }
}

/** One page of the app and its workers. They live, freeze and die together, but a worker may also die alone. */
export class SimTab {
  readonly id: TabId;
  readonly world: World;
  alive = true;
  frozen = false;
  visible = true;
  heldTasks: Task[] = [];
  readonly #threads: SimThread[] = [];

  constructor(world: World, id: TabId) {
    this.world = world;
    this.id = id;
  }

  startThread(name: string): SimThread {
    const thread = new SimThread(this, `${this.id}/${name}`);
    this.#threads.push(thread);
    return thread;
  }

  /** The browser does not freeze a page whose main thread holds a lock: the shield is one. */
  get shielded(): boolean {
    return this.world.locks.holder(LOCKS.shield(this.id)) !== null;
  }

  freeze(): void {
    this.frozen = true;
  }

  /** What was due meanwhile happens now, in order. */
  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.world.resume(this.heldTasks);
    this.heldTasks = [];
  }

  /** Closed or crashed: nothing of it runs any more; its locks fall free. */
  die(): void {
    this.alive = false;
    this.heldTasks = [];
    for (const thread of this.#threads) thread.die();
  }
}

/** A page's main thread or one worker: what the code that runs there gets for clock, locks and ways out. */
export class SimThread implements Clock {
  readonly tab: SimTab;
  readonly name: string;
  readonly locks: LockManager;
  alive = true;
  /** Opens BroadcastChannels. */
  readonly open: OpenTransport;
  readonly #world: World;
  readonly #channels: Transport[] = [];
  readonly #ports: SimPort[] = [];

  constructor(tab: SimTab, name: string) {
    this.tab = tab;
    this.name = name;
    this.#world = tab.world;
    this.locks = this.#world.locks.client(name, (run) => this.task(run));
    const open = this.#world.bus.opener(name);
    this.open = (channel) => {
      const transport = open(channel);
      this.#channels.push(transport);
      return transport;
    };
    this.#world.addThread(this);
  }

  now(): number {
    return this.#world.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const task = this.#world.schedule(ms, run, this);
    return () => (task.cancelled = true);
  }

  /** Runs it as a task of its own, soon. */
  task(run: () => void): void {
    this.#world.schedule(0, run, this);
  }

  /** A MessageChannel: one end here, the other in another thread. */
  connect(other: SimThread): [MessagePort, MessagePort] {
    const here = new SimPort(this);
    const there = new SimPort(other);
    here.connect(there);
    there.connect(here);
    this.#ports.push(here);
    other.#ports.push(there);
    return [here as unknown as MessagePort, there as unknown as MessagePort];
  }

  /** Asks storage: `work` is one transaction, done whole or not at all. */
  transact<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#world.schedule(this.#world.delayMs(), () => {
        // A transaction of a thread that died meanwhile may have been on its way or not.
        if (!this.alive && this.#world.random() < 0.5) return;
        let end: () => void;
        try {
          const result = work();
          end = () => resolve(result);
        } catch (error) {
          end = () => reject(error instanceof Error ? error : new Error(String(error)));
        }
        this.#world.schedule(this.#world.delayMs(), end, this);
      });
    });
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const channel of this.#channels) channel.close();
    for (const port of this.#ports) port.close();
    this.#world.locks.die(this.name);
  }
}

/** As much of a MessagePort as the app uses. Keeps what arrives until somebody listens. */
class SimPort {
  readonly #thread: SimThread;
  #other: SimPort | null = null;
  #waiting: unknown[] = [];
  #listener: ((event: { readonly data: unknown }) => void) | null = null;
  readonly #onClose = new Set<() => void>();
  #closed = false;

  constructor(thread: SimThread) {
    this.#thread = thread;
  }

  connect(other: SimPort): void {
    this.#other = other;
  }

  get onmessage(): ((event: { readonly data: unknown }) => void) | null {
    return this.#listener;
  }

  set onmessage(listener: ((event: { readonly data: unknown }) => void) | null) {
    this.#listener = listener;
    for (const data of this.#waiting.splice(0)) this.#thread.task(() => listener?.({ data }));
  }

  addEventListener(_type: 'close', listener: () => void): void {
    this.#onClose.add(listener);
  }

  postMessage(message: unknown): void {
    const other = this.#other;
    if (this.#closed || !other) return;
    const data = copied(message);
    this.#thread.tab.world.deliver(other.#thread, () => other.#receive(data), this.#thread);
  }

  #receive(data: unknown): void {
    if (this.#closed) return;
    if (this.#listener) this.#listener({ data });
    else this.#waiting.push(data);
  }

  /** Its other end hears of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const other = this.#other;
    if (other) other.#thread.task(() => other.#otherClosed());
  }

  #otherClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#onClose) listener();
  }
}
