/** Work that is due at a time. `owner` is whom it belongs to; what that means is the reader's business. */
export interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  readonly owner: object | null;
  cancelled: boolean;
}

const isBefore = (first: Task, second: Task): boolean =>
  first.atMs === second.atMs ? first.order < second.order : first.atMs < second.atMs;

/** Tasks by time, and at the same time in the order they were added (a binary heap). */
export class TaskQueue {
  readonly #heap: Task[] = [];
  #added = 0;

  add(atMs: number, run: () => void, owner: object | null): Task {
    const task: Task = { atMs, order: (this.#added += 1), run, owner, cancelled: false };
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(task, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = task;
    return task;
  }

  /** The next task that is due by then and not cancelled. */
  takeUntil(endMs: number): Task | null {
    for (;;) {
      const [first] = this.#heap;
      if (!first || first.atMs > endMs) return null;
      this.#removeFirst();
      if (!first.cancelled) return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
