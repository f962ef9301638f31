import { Listeners, type Transport } from './transport.ts';

/** Between the threads of all tabs of this origin. Copies only. */
export class BroadcastTransport implements Transport {
  readonly moves = false;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Listeners();
  #closed = false;

  constructor(channel: string) {
    this.#channel = new BroadcastChannel(channel);
    this.#channel.onmessage = ({ data }) => this.#listeners.deliver(data);
  }

  post(envelope: Parameters<Transport['post']>[0]): void {
    if (!this.#closed) this.#channel.postMessage(envelope);
  }

  listen(...parameters: Parameters<Transport['listen']>): () => void {
    return this.#listeners.add(...parameters);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#channel.close();
  }
}

/** Null where the browser has no BroadcastChannel: then there is one tab only. */
export const openBroadcast =
  typeof BroadcastChannel === 'undefined' ? null : (channel: string) => new BroadcastTransport(channel);
