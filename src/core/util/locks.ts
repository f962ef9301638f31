export type Locks = Pick<LockManager, 'request'>;

export interface HoldOptions {
  /** Ends the hold, or the wait for it. */
  readonly signal?: AbortSignal;
  /** Does not wait for a lock that another has. Not together with a signal. */
  readonly ifAvailable?: boolean;
}

/**
 * Holds a Web Lock until the signal aborts; without one for as long as this thread lives, which is how its death is noticed.
 * @returns true as soon as it is held; false when it is not to be had, or is not wanted any more
 * @throws whatever the browser refuses it with
 */
export function holdLock(locks: Locks, name: string, options: HoldOptions = {}): Promise<boolean> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const granted = (lock: Lock | null): Promise<void> | undefined => {
      resolve(lock !== null);
      return lock ? untilAborted(signal) : undefined;
    };
    locks
      .request(name, options, granted)
      .catch((thrown: unknown) => (signal?.aborted ? resolve(false) : reject(thrown as Error)));
  });
}

const untilAborted = (signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve());
  });
