import type { HealthEntry } from '@core/protocol/engine.ts';

/** Lines kept: a long meeting's worth of trouble, a few tens of KB. */
const CAPACITY = 500;

/** The newest {@link CAPACITY} health lines of the engine. They never hold transcript text. */
export class HealthLog {
  readonly #entries: HealthEntry[] = [];
  readonly #now: () => number;
  readonly #publish: (entry: HealthEntry) => void;

  constructor(now: () => number, publish: (entry: HealthEntry) => void) {
    this.#now = now;
    this.#publish = publish;
  }

  add(level: HealthEntry['level'], scope: HealthEntry['scope'], code: string, message: string): void {
    const entry: HealthEntry = { atMs: this.#now(), level, scope, code, message };
    this.#entries.push(entry);
    if (this.#entries.length > CAPACITY) this.#entries.shift();
    this.#publish(entry);
  }

  entries(): readonly HealthEntry[] {
    return [...this.#entries];
  }
}
