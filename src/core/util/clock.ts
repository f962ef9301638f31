/** Time, given to whoever needs it, so that a test can hold it still. */
export interface Clock {
  /** Wall clock, ms: the same in every tab and thread. */
  now(): number;
  /** @returns calls it off */
  after(delayMs: number, run: () => void): () => void;
}

export const wallClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after that time, or at once when the signal aborts; never rejects. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, resolve);
    signal?.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}
