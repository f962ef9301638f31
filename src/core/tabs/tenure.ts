import type { TabId } from '../protocol/ids.ts';
import type { Owner } from '../protocol/tabs.ts';
import { deferred, type Deferred } from '../util/deferred.ts';

/** An engine that serves. */
export interface RunningEngine {
  /** No session is open. */
  readonly idle: boolean;
  /** Resolves when what was received is stored, or could not be in time. */
  drain(): Promise<void>;
  /** Gives back models and GPU. */
  dispose(): Promise<void>;
}

/** Why the lock is held: said in the log. */
export type Reason = 'free' | 'silent' | 'handed-over';
type Loss = 'left' | 'stolen' | 'newer-engine' | 'handed-over';

export const TAKING_OVER: Record<Reason, string> = {
  free: 'the tab that had it let go of it',
  silent: 'the tab that had it no longer answered',
  'handed-over': 'another tab handed it over',
};
export const LEFT: Record<Loss, string> = {
  left: 'the page goes away',
  stolen: 'another tab took it, because this one did not answer',
  'newer-engine': 'another tab has a newer one',
  'handed-over': 'it was handed over to another tab',
};

/** One time of holding the engine's lock. */
export class Tenure {
  readonly reason: Reason;
  readonly #loss = new AbortController();
  readonly #lost = deferred<null>();
  /** The tab to hand over to, once there is one. */
  readonly heir: Deferred<TabId> = deferred<TabId>();
  owner: Owner | null = null;
  engine: RunningEngine | null = null;
  readyAtMs = Infinity;
  failed = false;
  loss: Loss | null = null;

  constructor(reason: Reason) {
    this.reason = reason;
  }

  /** Aborts when the lock is lost: what is said or written in its name from then on is void. */
  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  /** What the promise gives, or null as soon as the lock is lost. */
  whileOwned<T>(promise: Promise<T>): Promise<T | null> {
    return Promise.race([promise, this.#lost.promise]);
  }

  lose(loss: Loss): void {
    this.loss ??= loss;
    this.#loss.abort();
    this.#lost.resolve(null);
  }
}
