import type { Address, Envelope } from '@core/protocol/tabs.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import type { Transport } from '@core/tabs/transport.ts';

export interface LocalPort {
  readonly address: Exclude<Address, 'engine'>;
  readonly transport: Transport;
}

/** What the hub hears of the threads of its own tab. */
export interface LocalPortListener {
  message(port: LocalPort, envelope: Envelope): void;
  gone(port: LocalPort): void;
}

/** The ways to the threads of this worker's own tab. Kept whether or not the tab owns the engine. */
export class LocalPorts {
  readonly #ports = new Map<Address, LocalPort>();
  /** The hub, while this tab owns the engine. */
  listener: LocalPortListener | null = null;

  add(address: LocalPort['address'], port: MessagePort): void {
    this.#forget(this.#ports.get(address));
    const local: LocalPort = { address, transport: new PortTransport(port) };
    this.#ports.set(address, local);
    // Listened to from the start: what was meant for an engine that is over must not wait here for the next.
    local.transport.listen((envelope) => this.listener?.message(local, envelope));
    // Where browsers tell: a capture worker that has ended.
    port.addEventListener('close', () => this.#forget(local));
  }

  has(address: Address): boolean {
    return this.#ports.has(address);
  }

  /** To every thread of the tab. */
  post(envelope: Envelope): void {
    for (const { transport } of this.#ports.values()) transport.post(envelope);
  }

  #forget(port: LocalPort | undefined): void {
    if (!port || this.#ports.get(port.address) !== port) return;
    this.#ports.delete(port.address);
    port.transport.close();
    this.listener?.gone(port);
  }
}
