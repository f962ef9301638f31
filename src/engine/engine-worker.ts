import type { EngineWorkerEvent, EngineWorkerMessage } from '@core/protocol/engine-worker.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { wallClock } from '@core/util/clock.ts';
import { retryAfterMs } from '@core/util/retry.ts';

type Init = Extract<EngineWorkerMessage, { type: 'init' }>;

export interface EngineWorkerHandlers {
  /** A new one runs: what the one before was told must be said again. */
  spawned(): void;
  event(event: EngineWorkerEvent): void;
  /** It has died; another one is started in `retryInMs`. */
  gone(reason: string, retryInMs: number): void;
}

/** One that lived this long did not die of what it was started with. */
const STEADY_MS = 60_000;

/** This tab's engine worker, started again whenever it dies. Its lock tells, and an error it did not catch. */
export class EngineWorker {
  readonly #init: Init;
  readonly #handlers: EngineWorkerHandlers;
  #worker: Worker | null = null;
  /** Ends the watch on the worker's lock, or the wait for the next start. */
  #cancel: () => void = () => undefined;
  #startedAtMs = 0;
  #failures = 0;

  constructor(init: Init, handlers: EngineWorkerHandlers) {
    this.#init = init;
    this.#handlers = handlers;
  }

  /** Starts it, in the place of one that runs. */
  start(): void {
    this.stop();
    this.#startedAtMs = wallClock.now();
    const worker = new Worker(new URL('../../workers/engine/engine.worker.ts', import.meta.url), {
      type: 'module',
      name: 'engine',
    });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<EngineWorkerEvent>) => {
      if (worker !== this.#worker) return;
      if (data.type === 'started') this.#watch(worker);
      if (data.type === 'failed') this.#gone(worker, data.reason);
      this.#handlers.event(data);
    });
    worker.addEventListener('error', ({ message }) =>
      this.#gone(worker, message || 'it could not be started'),
    );
    this.post(this.#init);
    this.#handlers.spawned();
  }

  /** Told to a worker that has just died, it is lost: {@link EngineWorkerHandlers.spawned} says it again. */
  post(message: EngineWorkerMessage, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  stop(): void {
    this.#cancel();
    this.#worker?.terminate();
    this.#worker = null;
  }

  #watch(worker: Worker): void {
    if (this.#init.singleTab) return;
    const watch = new AbortController();
    this.#cancel = () => watch.abort();
    navigator.locks
      .request(LOCKS.engineWorker(this.#init.tab), { signal: watch.signal }, () =>
        this.#gone(worker, 'it died'),
      )
      .catch(() => undefined);
  }

  #gone(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.stop();
    if (wallClock.now() - this.#startedAtMs >= STEADY_MS) this.#failures = 0;
    const retryInMs = retryAfterMs(this.#failures);
    this.#failures += 1;
    this.#cancel = wallClock.after(retryInMs, () => this.start());
    this.#handlers.gone(reason, retryInMs);
  }
}
