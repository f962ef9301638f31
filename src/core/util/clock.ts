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
