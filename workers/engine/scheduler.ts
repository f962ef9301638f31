import { deferred } from '@core/util/deferred.ts';

/** What runs first when a runtime becomes free, first to last. */
export const PRIORITIES = ['final', 'partial', 'translation', 'embedding', 'background'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Stopped, they go back to their place in the queue. */
const COMES_BACK: readonly Priority[] = ['translation', 'background'];

/** What a job stops when it waits. */
const STOPS: Partial<Record<Priority, readonly Priority[]>> = {
  final: ['partial', ...COMES_BACK],
  partial: ['background'],
};

/** How often a job gives way to partials: while somebody speaks there is always another, and a file is to be read all the same. */
const MOST_STOPS_BY_PARTIALS = 3;

export interface Job<Result> {
  /** Jobs of one lane run one at a time: the runtime that does the work. */
  readonly lane: string;
  /** Sessions take turns inside a priority. */
  readonly session: string;
  readonly priority: Priority;
  /** Settles only when the runtime is really free again, also after an abort. */
  run(signal: AbortSignal): Promise<Result>;
}

export interface Ticket<Result> {
  /** Rejects with the signal's reason at once when aborted, with an AbortError when dropped. */
  readonly result: Promise<Result>;
  readonly started: boolean;
  setPriority(priority: Priority): void;
}

interface Entry {
  readonly job: Job<unknown>;
  readonly order: number;
  readonly signal: AbortSignal;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: () => void;
  priority: Priority;
  /** Set while running. */
  controller: AbortController | null;
  preempted: boolean;
  stopsByPartials: number;
  settled: boolean;
}

/** Sized against one queued job per open utterance: more than this many means nobody reads the partials. */
const QUEUE_LIMIT = 64;

const dropped = (why: string): DOMException => new DOMException(why, 'AbortError');

/**
 * Decides which job runs next on each lane. Owned by the engine worker and called from it only.
 * Deterministic: the order depends on the calls alone, never on time.
 *
 * A waiting final stops a running partial, which is dropped, or a running translation or background job, which
 * goes back to its place in the queue. A waiting partial stops a background job, a few times. Those and finals are
 * never dropped.
 */
export class Scheduler {
  readonly #waiting: Entry[] = [];
  readonly #running = new Map<string, Entry>();
  readonly #lastTurn = new Map<string, number>();
  #orders = 0;
  #turns = 0;

  submit<Result>(job: Job<Result>, signal: AbortSignal): Ticket<Result> {
    const { promise, resolve, reject } = deferred<Result>();
    const entry: Entry = {
      job,
      order: this.#orders++,
      signal,
      resolve: resolve as (value: unknown) => void,
      reject,
      onAbort: () => this.#abort(entry),
      priority: job.priority,
      controller: null,
      preempted: false,
      stopsByPartials: 0,
      settled: false,
    };
    if (signal.aborted) this.#settle(entry, () => reject(signal.reason));
    else if (this.#waiting.length >= QUEUE_LIMIT && canDrop(entry))
      this.#settle(entry, () => reject(dropped('the queue is full')));
    else {
      signal.addEventListener('abort', entry.onAbort);
      this.#waiting.push(entry);
      this.#pump(job.lane);
    }
    return {
      result: promise,
      get started() {
        return entry.controller !== null;
      },
      setPriority: (priority) => {
        entry.priority = priority;
        this.#pump(job.lane);
      },
    };
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** True while a final waits for this lane: partials should not be asked for. */
  hasWaitingFinal(lane: string): boolean {
    return this.#waiting.some((entry) => entry.job.lane === lane && entry.priority === 'final');
  }

  forgetSession(session: string): void {
    this.#lastTurn.delete(session);
  }

  #abort(entry: Entry): void {
    const index = this.#waiting.indexOf(entry);
    if (index >= 0) this.#waiting.splice(index, 1);
    entry.controller?.abort(entry.signal.reason);
    this.#settle(entry, () => entry.reject(entry.signal.reason));
  }

  #pump(lane: string): void {
    const next = this.#next(lane);
    if (!next) return;
    const running = this.#running.get(lane);
    if (running) {
      if (running.preempted || !STOPS[next.priority]?.includes(running.priority)) return;
      if (next.priority === 'partial' && (running.stopsByPartials += 1) > MOST_STOPS_BY_PARTIALS) return;
      running.preempted = true;
      running.controller?.abort(dropped(`a ${next.priority} comes first`));
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#lastTurn.set(next.job.session, this.#turns++);
    this.#running.set(lane, next);
    void this.#run(next);
  }

  async #run(entry: Entry): Promise<void> {
    entry.controller = new AbortController();
    try {
      const value = await entry.job.run(entry.controller.signal);
      this.#settle(entry, () => entry.resolve(value));
    } catch (error) {
      const comesBack = entry.preempted && COMES_BACK.includes(entry.priority) && !entry.signal.aborted;
      if (comesBack) this.#requeue(entry);
      else this.#settle(entry, () => entry.reject(error));
    } finally {
      this.#running.delete(entry.job.lane);
      this.#pump(entry.job.lane);
    }
  }

  #requeue(entry: Entry): void {
    entry.controller = null;
    entry.preempted = false;
    this.#waiting.push(entry);
  }

  #settle(entry: Entry, settle: () => void): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.signal.removeEventListener('abort', entry.onAbort);
    settle();
  }

  #next(lane: string): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#waiting) {
      if (entry.job.lane === lane && (!best || this.#before(entry, best))) best = entry;
    }
    return best;
  }

  #before(a: Entry, b: Entry): boolean {
    const priority = PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority);
    if (priority !== 0) return priority < 0;
    const turn = this.#turnOf(a) - this.#turnOf(b);
    return turn === 0 ? a.order < b.order : turn < 0;
  }

  #turnOf(entry: Entry): number {
    return this.#lastTurn.get(entry.job.session) ?? -1;
  }
}

const canDrop = ({ priority }: Entry): boolean => priority !== 'final' && !COMES_BACK.includes(priority);
