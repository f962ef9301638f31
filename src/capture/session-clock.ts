/** The time a session has recorded, pauses left out. It starts with the first source. */
export class SessionClock {
  readonly #now: () => number;
  #startedAtMs: number | null = null;
  #pausedAtMs: number | null = null;
  #pausedMs = 0;

  /** `now`: ms of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Where sample 0 of a source that starts now lies, ms. */
  sourceOffsetMs(): number {
    const nowMs = this.#now();
    this.#startedAtMs ??= nowMs;
    return nowMs - this.#startedAtMs - this.#pausedMs - this.#inPauseMs(nowMs);
  }

  /** Nothing was recorded after all: the next source starts it. */
  reset(): void {
    this.#startedAtMs = null;
    this.#pausedMs = 0;
  }

  setPaused(paused: boolean): void {
    if (paused === (this.#pausedAtMs !== null)) return;
    const nowMs = this.#now();
    this.#pausedMs += this.#inPauseMs(nowMs);
    this.#pausedAtMs = paused ? nowMs : null;
  }

  /** Of the pause that is on, if one is. Before the first source there is no time to take it from. */
  #inPauseMs(nowMs: number): number {
    if (this.#pausedAtMs === null || this.#startedAtMs === null) return 0;
    return nowMs - Math.max(this.#pausedAtMs, this.#startedAtMs);
  }
}
