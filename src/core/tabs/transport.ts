import type { Envelope } from '../protocol/tabs.ts';

/**
 * A way for envelopes between threads, of one tab or of several. Messages arrive in the order they were sent, are
 * never delivered to the object that sent them, and are copies: what is listed in `transfer` is moved where the way can move it and
 * copied where it cannot. Nothing throws after `close`, nothing is delivered any more.
 */
export interface Transport {
  /** False where the way only copies (BroadcastChannel): then nothing that can only be moved may be sent. */
  readonly moves: boolean;
  post(envelope: Envelope, transfer?: Transferable[]): void;
  /** @returns ends it */
  listen(listener: (envelope: Envelope) => void): () => void;
  close(): void;
}

/** Opens a transport by the name of its channel (CHANNELS). */
export type OpenTransport = (channel: string) => Transport;
