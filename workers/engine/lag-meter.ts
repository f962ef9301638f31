/** About two a second: enough for a reader, nothing for a page. */
const INTERVAL_MS = 500;

/**
 * Thins out lag reports: at most one per {@link INTERVAL_MS} while there is lag, and one when it
 * is gone. Needs no timer: lag changes only when something arrives or is done, and then it is measured.
 */
export class LagMeter {
  readonly #report: (lagMs: number, waitingUtterances: number) => void;
  #lastMs = -Infinity;
  #reported = 0;

  constructor(report: (lagMs: number, waitingUtterances: number) => void) {
    this.#report = report;
  }

  measure(nowMs: number, lagMs: number, waitingUtterances: number): void {
    const due = lagMs === 0 ? this.#reported > 0 : nowMs - this.#lastMs >= INTERVAL_MS;
    if (!due) return;
    this.#lastMs = nowMs;
    this.#reported = lagMs;
    this.#report(lagMs, waitingUtterances);
  }
}
