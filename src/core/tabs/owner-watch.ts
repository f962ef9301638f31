import type { ControlMessage } from '../protocol/tabs.ts';

/** Seven missed signs of life: a busy machine skips some of them. */
const STALE_AFTER_MS = 15_000;
/** What an owner may claim to be busy for; more is a clock that jumped. */
const LONGEST_BUSY_MS = 60_000;
/** A new owner needs its time to boot before it is judged. */
const BETWEEN_STEALS_MS = 30_000;
const MOST_STEALS = 3;

type OwnerMessage = Extract<ControlMessage, { owner: unknown }>;

/** Follows the owner by what is heard of it, and says when it is to be given up for dead though it holds its lock. Pure. */
export class OwnerWatch {
  #epoch = 0;
  #quietSinceMs: number;
  #steals = 0;
  #stoleAtMs = -Infinity;

  constructor(nowMs: number) {
    this.#quietSinceMs = nowMs;
  }

  /** The highest epoch that was heard of. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @returns false when the message is of an owner that is none any more */
  heard(message: OwnerMessage, nowMs: number): boolean {
    const { epoch } = message.owner;
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    const busyUntilMs =
      message.type === 'alive' ? Math.min(message.busyUntilMs, nowMs + LONGEST_BUSY_MS) : nowMs;
    this.#quietSinceMs = Math.max(this.#quietSinceMs, nowMs, busyUntilMs);
    return true;
  }

  stale(nowMs: number): boolean {
    return nowMs - this.#quietSinceMs >= STALE_AFTER_MS;
  }

  /** A steal that does not help must not be repeated for ever: then something else is wrong. */
  maySteal(nowMs: number): 'yes' | 'later' | 'never' {
    if (this.#steals >= MOST_STEALS) return 'never';
    return nowMs - this.#stoleAtMs >= BETWEEN_STEALS_MS ? 'yes' : 'later';
  }

  stole(nowMs: number): void {
    this.#steals += 1;
    this.#stoleAtMs = nowMs;
    this.#quietSinceMs = Math.max(this.#quietSinceMs, nowMs);
  }
}
