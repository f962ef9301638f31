import { deferred } from '@core/util/deferred.ts';
import type { Priority } from './scheduler.ts';

/** Answers remembered: an hour of speech has about as many sentences. */
const CAPACITY = 500;

type CallPriority = Extract<Priority, 'translation' | 'background'>;

/** A call on its way. */
export interface SharedCall {
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** The most urgent of those who wait. */
  readonly priority: CallPriority;
  /** Set by the call: somebody more urgent waits for it now. */
  onUrgent: () => void;
}

interface Entry<Kind, Answer> extends SharedCall {
  readonly kind: Kind;
  readonly answer: Promise<Answer>;
  readonly controller: AbortController;
  priority: CallPriority;
  callers: number;
}

/** Calls that always answer the same: each is made once, however many ask at once or, within a limit, later. */
export class SharedCalls<Kind, Answer> {
  readonly #running = new Map<string, Entry<Kind, Answer>>();
  /** Least recently used first. */
  readonly #known = new Map<string, Answer>();

  /** A call of such a kind is on its way. */
  any(is: (kind: Kind) => boolean): boolean {
    return [...this.#running.values()].some(({ kind }) => is(kind));
  }

  /**
   * The answer to `key`, from `make` if nobody has asked before.
   * @throws the signal's reason, at once; what `make` rejects with, which is not remembered
   */
  async get(
    key: string,
    kind: Kind,
    { priority, signal }: { readonly priority: CallPriority; readonly signal: AbortSignal },
    make: (call: SharedCall) => Promise<Answer>,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#remember(key, known);
      return known;
    }
    const call = this.#running.get(key) ?? this.#begin(key, kind, priority, make);
    if (priority === 'translation' && call.priority !== priority) {
      call.priority = priority;
      call.onUrgent();
    }
    call.callers += 1;
    const { promise: left, reject } = deferred<never>();
    const leave = (): void => {
      reject(signal.reason);
      call.callers -= 1;
      if (call.callers > 0) return;
      this.#running.delete(key);
      call.controller.abort(signal.reason);
    };
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([left, call.answer]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #begin(
    key: string,
    kind: Kind,
    priority: CallPriority,
    make: (call: SharedCall) => Promise<Answer>,
  ): Entry<Kind, Answer> {
    const controller = new AbortController();
    const { promise: answer, resolve, reject } = deferred<Answer>();
    const entry: Entry<Kind, Answer> = {
      kind,
      answer,
      controller,
      signal: controller.signal,
      priority,
      callers: 0,
      onUrgent: () => undefined,
    };
    this.#running.set(key, entry);
    const end = (): void => {
      if (this.#running.get(key) === entry) this.#running.delete(key);
    };
    make(entry).then(
      (made) => {
        this.#remember(key, made);
        end();
        resolve(made);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
    answer.catch(() => undefined);
    return entry;
  }

  #remember(key: string, answer: Answer): void {
    this.#known.delete(key);
    this.#known.set(key, answer);
    if (this.#known.size <= CAPACITY) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
