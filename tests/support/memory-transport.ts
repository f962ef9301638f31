import type { Envelope } from '@core/protocol/tabs.ts';
import { Listeners, type OpenTransport, type Transport } from '@core/tabs/transport.ts';

/** Who has a transport open: whatever freezes and dies as one, a tab or a thread. */
export type Party = string;

/**
 * When a message arrives: runs `run` later, in order for one receiver, or never (the party died). A frozen party's
 * deliveries are kept and run when it goes on.
 */
export type Deliver = (to: Party, run: () => void) => void;

type Connect = (sender: MemoryTransport) => Iterable<MemoryTransport>;

class MemoryTransport implements Transport {
  readonly moves: boolean;
  readonly party: Party;
  readonly #listeners = new Listeners();
  readonly #deliver: Deliver;
  readonly #others: Connect;
  readonly #onClose: (transport: MemoryTransport) => void;
  /** As a MessagePort does, a way that moves keeps what comes before anybody listens. */
  #early: unknown[] = [];
  #listening = false;
  #closed = false;

  constructor(parts: {
    moves: boolean;
    party: Party;
    deliver: Deliver;
    others: Connect;
    onClose?: (transport: MemoryTransport) => void;
  }) {
    this.moves = parts.moves;
    this.party = parts.party;
    this.#deliver = parts.deliver;
    this.#others = parts.others;
    this.#onClose = parts.onClose ?? (() => undefined);
  }

  post(envelope: Envelope, transfer: Transferable[] = []): void {
    this.postRaw(envelope, transfer);
  }

  /** Anything at all, as some other program of this origin could post it. */
  postRaw(data: unknown, transfer: Transferable[] = []): void {
    if (this.#closed) return;
    const sent: unknown = structuredClone(data, { transfer: this.moves ? transfer : [] });
    const receivers = [...this.#others(this)];
    receivers.forEach((receiver, index) => {
      const copy: unknown = index === receivers.length - 1 ? sent : structuredClone(sent);
      this.#deliver(receiver.party, () => receiver.#arrive(copy));
    });
  }

  #arrive(data: unknown): void {
    if (this.moves && !this.#listening) this.#early.push(data);
    else this.#listeners.deliver(data);
  }

  listen(...parameters: Parameters<Transport['listen']>): () => void {
    const end = this.#listeners.add(...parameters);
    if (!this.#listening) {
      this.#listening = true;
      const early = this.#early.splice(0);
      this.#deliver(this.party, () => early.forEach((data) => this.#listeners.deliver(data)));
    }
    return end;
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#onClose(this);
  }
}

/**
 * BroadcastChannels and MessagePorts of a simulated browser. `deliver` decides when each message arrives; left out,
 * that is in the next microtask.
 */
export class MemoryBus {
  readonly #channels = new Map<string, Set<MemoryTransport>>();
  readonly #deliver: Deliver;

  constructor(deliver: Deliver = (_to, run) => queueMicrotask(run)) {
    this.#deliver = deliver;
  }

  /** The party's way to open channels. */
  opener(party: Party): OpenTransport & ((channel: string) => MemoryTransport) {
    return (channel) => {
      const members = this.#channels.get(channel) ?? new Set();
      this.#channels.set(channel, members);
      const transport = new MemoryTransport({
        moves: false,
        party,
        deliver: this.#deliver,
        others: (sender) => [...members].filter((member) => member !== sender),
        onClose: (closed) => void members.delete(closed),
      });
      members.add(transport);
      return transport;
    };
  }

  /** Two ends of one MessageChannel. */
  pair(first: Party, second: Party): [MemoryTransport, MemoryTransport] {
    const ends: MemoryTransport[] = [];
    const end = (party: Party): MemoryTransport =>
      new MemoryTransport({
        moves: true,
        party,
        deliver: this.#deliver,
        others: (sender) => ends.filter((other) => other !== sender),
      });
    const [left, right] = [end(first), end(second)];
    ends.push(left, right);
    return [left, right];
  }
}
