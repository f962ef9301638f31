import type { Clock } from '@core/util/clock.ts';
import { TaskQueue } from './task-queue.ts';

/** Lets every promise that is settled already be acted on, and what follows from that. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only when told to. */
export class VirtualClock implements Clock {
  readonly #tasks = new TaskQueue();
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const task = this.#tasks.add(this.#nowMs + delayMs, run, null);
    return () => void (task.cancelled = true);
  }

  /** What is due by then happens in order, each with all that follows from it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (let task = this.#tasks.takeUntil(endMs); task; task = this.#tasks.takeUntil(endMs)) {
      this.#nowMs = task.atMs;
      task.run();
      await settled();
    }
    this.#nowMs = endMs;
  }
}
