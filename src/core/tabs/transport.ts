import { PROTOCOL, type Envelope } from '../protocol/tabs.ts';

/**
 * A way for envelopes between threads, of one tab or of several. Messages arrive in the order they were sent, are
 * never delivered to the object that sent them, and are copies: what is listed in `transfer` is moved where the way can move it and
 * copied where it cannot. Nothing throws after `close`, nothing is delivered any more.
 */
export interface Transport {
  /** False where the way only copies (BroadcastChannel): then nothing that can only be moved may be sent. */
  readonly moves: boolean;
  post(envelope: Envelope, transfer?: Transferable[]): void;
  /**
   * What is no envelope of this protocol is never delivered.
   * @param onForeignProtocol hears the number of another protocol that somebody speaks here
   * @returns ends it
   */
  listen(listener: (envelope: Envelope) => void, onForeignProtocol?: (v: number) => void): () => void;
  close(): void;
}

/** Opens a transport by the name of its channel (CHANNELS). */
export type OpenTransport = (channel: string) => Transport;

const isEnvelope = (data: object): data is Envelope =>
  'epoch' in data &&
  typeof data.epoch === 'number' &&
  'from' in data &&
  typeof data.from === 'string' &&
  'to' in data &&
  typeof data.to === 'string' &&
  'body' in data &&
  typeof data.body === 'object' &&
  data.body !== null;

/** Who listens on one transport, and the check of what comes in: anything of this origin may post to a channel. */
export class Listeners {
  readonly #listeners = new Set<{
    readonly listener: (envelope: Envelope) => void;
    readonly onForeignProtocol: ((v: number) => void) | undefined;
  }>();

  /** @returns ends it */
  add(listener: (envelope: Envelope) => void, onForeignProtocol?: (v: number) => void): () => void {
    const entry = { listener, onForeignProtocol };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  deliver(data: unknown): void {
    if (typeof data !== 'object' || data === null || !('v' in data) || typeof data.v !== 'number') return;
    if (!('tab' in data) || typeof data.tab !== 'string') return;
    for (const { listener, onForeignProtocol } of [...this.#listeners])
      if (data.v !== PROTOCOL) onForeignProtocol?.(data.v);
      else if (isEnvelope(data)) listener(data);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
