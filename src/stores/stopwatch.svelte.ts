const TICK_MS = 200;

/** Time that passes while it runs. The timer only redraws it: what is shown is read off the clock. */
export class Stopwatch {
  #elapsedMs = $state(0);
  #before = 0;
  #since: number | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  reset(): void {
    this.stop();
    this.#before = 0;
    this.#elapsedMs = 0;
  }

  start(): void {
    if (this.#since !== null) return;
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#read(), TICK_MS);
  }

  stop(): void {
    if (this.#since === null) return;
    this.#read();
    this.#before = this.#elapsedMs;
    this.#since = null;
    clearInterval(this.#timer);
  }

  #read(): void {
    if (this.#since !== null) this.#elapsedMs = this.#before + performance.now() - this.#since;
  }
}
