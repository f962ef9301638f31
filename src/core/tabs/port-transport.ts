import type { Envelope } from '../protocol/tabs.ts';
import { Listeners, type Transport } from './transport.ts';

/** Between two threads of one tab. What is sent before the other end listens waits for it. */
export class PortTransport implements Transport {
  readonly moves = true;
  readonly #port: MessagePort;
  readonly #listeners = new Listeners();
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  post(envelope: Envelope, transfer: Transferable[] = []): void {
    if (!this.#closed) this.#port.postMessage(envelope, transfer);
  }

  listen(...parameters: Parameters<Transport['listen']>): () => void {
    const end = this.#listeners.add(...parameters);
    this.#port.onmessage ??= ({ data }) => this.#listeners.deliver(data);
    return end;
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#port.close();
  }
}
