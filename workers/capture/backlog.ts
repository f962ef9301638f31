import type { CaptureEvents } from '@core/protocol/capture.ts';
import type { Clock } from '@core/util/clock.ts';

type Backlog = Parameters<CaptureEvents['backlog']>[0];

const LEAST_INTERVAL_MS = 1000;

/** Tells of the backlog when it changes, at most once a second. */
export class BacklogTeller {
  readonly #clock: Clock;
  readonly #current: () => Backlog;
  readonly #tell: (backlog: Backlog) => void;
  #told: Backlog | null = null;
  #toldAtMs = -Infinity;
  #callOff: (() => void) | null = null;

  constructor(clock: Clock, current: () => Backlog, tell: (backlog: Backlog) => void) {
    this.#clock = clock;
    this.#current = current;
    this.#tell = tell;
  }

  changed(): void {
    if (this.#callOff) return;
    const waitMs = this.#toldAtMs + LEAST_INTERVAL_MS - this.#clock.now();
    if (waitMs > 0) this.#callOff = this.#clock.after(waitMs, () => this.#say());
    else this.#say();
  }

  /** Says the last word at once. */
  close(): void {
    if (!this.#callOff) return;
    this.#callOff();
    this.#say();
  }

  #say(): void {
    this.#callOff = null;
    const backlog = this.#current();
    if (backlog.speechMs === this.#told?.speechMs && backlog.attached === this.#told.attached) return;
    this.#told = backlog;
    this.#toldAtMs = this.#clock.now();
    this.#tell(backlog);
  }
}
