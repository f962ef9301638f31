import type { Envelope } from '@core/protocol/tabs.ts';
import { Listeners, type Transport } from '@core/tabs/transport.ts';

/** Who has a transport open: whatever freezes and dies as one, a tab or a thread. */
export type Party = string;

/**
 * When a message arrives: runs `run` later, in order for one sender and one receiver, or never (the party died). A
 * frozen party's deliveries are kept and run when it goes on.
 */
export type Deliver = (to: Party, run: () => void, from: Party) => void;

type Clone = (data: unknown, options?: StructuredSerializeOptions) => unknown;

type Connect = (sender: MemoryTransport) => Iterable<MemoryTransport>;

export class MemoryTransport implements Transport {
  readonly moves: boolean;
  readonly party: Party;
  readonly #listeners = new Listeners();
  readonly #deliver: Deliver;
  readonly #clone: Clone;
  readonly #others: Connect;
  readonly #onClose: (transport: MemoryTransport) => void;
  /** As a MessagePort does, a way that moves keeps what comes before anybody listens. */
  readonly #early: unknown[] = [];
  #listening = false;
  #closed = false;

  constructor(parts: {
    moves: boolean;
    party: Party;
    deliver: Deliver;
    clone: Clone;
    others: Connect;
    onClose?: (transport: MemoryTransport) => void;
  }) {
    this.moves = parts.moves;
    this.party = parts.party;
    this.#deliver = parts.deliver;
    this.#clone = parts.clone;
    this.#others = parts.others;
    this.#onClose = parts.onClose ?? (() => undefined);
  }

  post(envelope: Envelope, transfer: Transferable[] = []): void {
    this.postRaw(envelope, transfer);
  }

  /** Anything at all, as some other program of this origin could post it. */
  postRaw(data: unknown, transfer: Transferable[] = []): void {
    if (this.#closed) return;
    const sent = this.#clone(data, { transfer: this.moves ? transfer : [] });
    const parties = new Map<Party, MemoryTransport[]>();
    for (const receiver of this.#others(this)) {
      if (!receiver.moves && !receiver.#listening) continue;
      const known = parties.get(receiver.party);
      if (known) known.push(receiver);
      else parties.set(receiver.party, [receiver]);
    }
    for (const [party, receivers] of parties) {
      const arrivals = receivers.map((receiver) => ({ receiver, copy: this.#clone(sent) }));
      const run = (): void => {
        for (const { receiver, copy } of arrivals) receiver.#arrive(copy);
      };
      this.#deliver(party, run, this.party);
    }
  }

  #arrive(data: unknown): void {
    if (this.moves && (!this.#listening || this.#early.length > 0)) this.#early.push(data);
    else this.#listeners.deliver(data);
  }

  listen(...parameters: Parameters<Transport['listen']>): () => void {
    const end = this.#listeners.add(...parameters);
    if (!this.#listening) {
      this.#listening = true;
      const early = (): void => {
        while (this.#early.length > 0) this.#listeners.deliver(this.#early.shift());
      };
      this.#deliver(this.party, early, this.party);
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
 * that is in the next microtask. `clone` may be something faster than the browser's own.
 */
export class MemoryBus {
  readonly #channels = new Map<string, Set<MemoryTransport>>();
  readonly #deliver: Deliver;
  readonly #clone: Clone;

  constructor(
    deliver: Deliver = (_to, run) => queueMicrotask(run),
    clone: Clone = (data, options) => structuredClone(data, options),
  ) {
    this.#deliver = deliver;
    this.#clone = clone;
  }

  /** The party's way to open channels. */
  opener(party: Party): (channel: string) => MemoryTransport {
    return (channel) => {
      const members = this.#channels.get(channel) ?? new Set();
      this.#channels.set(channel, members);
      const transport = new MemoryTransport({
        moves: false,
        party,
        deliver: this.#deliver,
        clone: this.#clone,
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
        clone: this.#clone,
        others: (sender) => ends.filter((other) => other !== sender),
      });
    const [left, right] = [end(first), end(second)];
    ends.push(left, right);
    return [left, right];
  }
}
