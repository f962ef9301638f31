/** Runs what the browser would run in a task of its own. A frozen tab's runs later, a dead one's never. */
export type RunTask = (run: () => void) => void;

interface Request {
  readonly clientId: string;
  readonly name: string;
  readonly runTask: RunTask;
  /** Calls back with the lock; what it returns ends the hold. */
  grant(): void;
  /** Rejects the request: stolen, or aborted before it was granted. */
  reject(reason: Error): void;
}

/**
 * Web Locks for as many tabs as a test wants, without a browser: exclusive locks, first come first served, with
 * `ifAvailable`, `steal`, `signal` and `query`. Each party takes its own `LockManager` by {@link client}.
 */
export class SimLocks {
  readonly #held = new Map<string, Request>();
  readonly #waiting: Request[] = [];

  /** The locks as one party sees them; `clientId` is what `query` and {@link die} name it by. */
  client(clientId: string, runTask: RunTask = queueMicrotask): LockManager {
    return {
      request: (
        name: string,
        second: LockOptions | LockGrantedCallback<unknown>,
        third?: LockGrantedCallback<unknown>,
      ) => {
        const [options, callback] = typeof second === 'function' ? [{}, second] : [second, third!];
        return this.#request(clientId, runTask, name, options, callback);
      },
      query: () => Promise.resolve(this.#snapshot()),
    } as LockManager;
  }

  /** The party is gone: what it held falls free, what it waited for is forgotten, none of its promises settles. */
  die(clientId: string): void {
    for (let index = this.#waiting.length - 1; index >= 0; index -= 1) {
      if (this.#waiting[index]?.clientId === clientId) this.#waiting.splice(index, 1);
    }
    for (const [name, request] of [...this.#held])
      if (request.clientId === clientId) this.#release(name, request);
  }

  /** The party that holds the lock; null when it is free. */
  holder(name: string): string | null {
    return this.#held.get(name)?.clientId ?? null;
  }

  #request(
    clientId: string,
    runTask: RunTask,
    name: string,
    { ifAvailable = false, steal = false, signal }: LockOptions,
    callback: LockGrantedCallback<unknown>,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      let settled = false;
      const settle = (end: () => void): void => {
        if (settled) return;
        settled = true;
        runTask(end);
      };
      const request: Request = {
        clientId,
        name,
        runTask,
        grant: () => {
          void Promise.resolve()
            .then(() => callback({ name, mode: 'exclusive' }))
            .then(
              (value) => settle(() => resolve(value)),
              (thrown: unknown) => settle(() => reject(asError(thrown))),
            )
            .finally(() => this.#release(name, request));
        },
        reject: (reason) => settle(() => reject(reason)),
      };
      const free = !this.#held.has(name) && !this.#waiting.some((other) => other.name === name);
      if (ifAvailable && !free) {
        runTask(() => {
          void Promise.resolve()
            .then(() => callback(null))
            .then(resolve, reject);
        });
        return;
      }
      if (steal) {
        const robbed = this.#held.get(name);
        this.#held.delete(name);
        robbed?.reject(new DOMException('Lock was stolen by another request.', 'AbortError'));
        this.#hold(request);
        return;
      }
      this.#waiting.push(request);
      signal?.addEventListener('abort', () => {
        const index = this.#waiting.indexOf(request);
        if (index < 0) return;
        this.#waiting.splice(index, 1);
        request.reject(signal.reason as Error);
      });
      this.#next(name);
    });
  }

  #hold(request: Request): void {
    this.#held.set(request.name, request);
    request.runTask(() => {
      // Stolen before the party heard of it: the browser never calls back then.
      if (this.#held.get(request.name) === request) request.grant();
    });
  }

  #release(name: string, request: Request): void {
    if (this.#held.get(name) !== request) return;
    this.#held.delete(name);
    this.#next(name);
  }

  #next(name: string): void {
    if (this.#held.has(name)) return;
    const index = this.#waiting.findIndex((request) => request.name === name);
    const [request] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (request) this.#hold(request);
  }

  #snapshot(): LockManagerSnapshot {
    const info = ({ name, clientId }: Request): LockInfo => ({ name, clientId, mode: 'exclusive' });
    return { held: [...this.#held.values()].map(info), pending: this.#waiting.map(info) };
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
