import type { SpeechMessage } from '@core/protocol/audio.ts';

/** Keeps what arrives and lets a test wait for it. */
export class Inbox<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  add(item: T): void {
    this.all.push(item);
    for (const look of this.#waiting.splice(0)) look();
  }

  /** The first item from index `from` on that `matches`, whether it has arrived or will. */
  async first<S extends T>(matches: (item: T) => item is S, from?: number): Promise<S>;
  async first(matches: (item: T) => boolean, from?: number): Promise<T>;
  async first(matches: (item: T) => boolean, from = 0): Promise<T> {
    for (;;) {
      const found = this.all.slice(from).find(matches);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** What the gate says, as an engine would see it. */
export class SpeechInbox extends Inbox<SpeechMessage> {
  of<K extends SpeechMessage['type']>(type: K): Extract<SpeechMessage, { type: K }>[] {
    return this.all.filter(
      (message): message is Extract<SpeechMessage, { type: K }> => message.type === type,
    );
  }
}
