import type { EngineApi, EngineEvent, EngineEvents, HealthEntry } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { TabId } from '@core/protocol/ids.ts';
import { createRpc, endpointOn } from '@core/protocol/rpc.ts';
import {
  CHANNELS,
  LOCKS,
  PROTOCOL,
  type Address,
  type Attached,
  type ControlMessage,
  type Envelope,
  type Owner,
} from '@core/protocol/tabs.ts';
import type { RunningEngine } from '@core/tabs/tenure.ts';
import type { OpenTransport, Transport } from '@core/tabs/transport.ts';
import type { Locks } from '@core/util/locks.ts';
import type { EngineClient } from './client.ts';
import type { Engine } from './engine.ts';
import type { LocalPort, LocalPortListener } from './local-ports.ts';

export interface ClientsParts {
  readonly engine: Pick<Engine, 'apiFor' | 'clientGone'>;
  readonly owner: Owner;
  /** Where the hub puts itself to hear the threads of its own tab. */
  readonly ports: { listener: LocalPortListener | null; has(address: Address): boolean };
  /** Null where the browser has no BroadcastChannel: then only the own tab is served. */
  readonly open: OpenTransport | null;
  /** Null where the browser has no Web Locks. */
  readonly locks: Locks | null;
  /** To every tab, this one included. */
  readonly announce: (message: ControlMessage) => void;
  /** Lines of this worker that the engine does not know. */
  readonly lines: () => readonly HealthEntry[];
}

/** One thread that is served. */
interface Served {
  readonly client: EngineClient;
  readonly way: Transport;
  readonly end: () => void;
}

/** A tab whose threads are served by its channel. */
interface RemoteTab {
  readonly channel: Transport;
  readonly watch: AbortController;
}

/**
 * Serves the engine to the threads of all tabs: those of its own tab by their ports, the others by their tab's channel.
 * Notices the death of a tab by its lock. One for each time that this worker owns the engine.
 */
export class Clients implements LocalPortListener {
  readonly #parts: ClientsParts;
  readonly #control: Transport | null;
  readonly #tabs = new Map<TabId, RemoteTab>();
  readonly #served = new Map<string, Served>();
  #closed = false;

  /** Serves from now on. */
  constructor(parts: ClientsParts) {
    this.#parts = parts;
    const { open, owner, ports } = parts;
    this.#control = open?.(CHANNELS.control) ?? null;
    if (open)
      this.#control?.listen(({ tab, body }) => {
        const message = body as ControlMessage;
        if (message.type !== 'attach' || message.epoch !== owner.epoch) return;
        // A thread of the own tab whose port led to a worker before this one has no other way.
        if (tab !== owner.tab || !ports.has(message.address))
          this.#serve(this.#channelOf(tab, open), tab, message.address);
      });
    ports.listener = this;
  }

  /** A thread of this worker's own tab said something. What is a call, its line hears. */
  message({ address, transport }: LocalPort, { body }: Envelope): void {
    const { owner, announce } = this.#parts;
    const message = body as ControlMessage;
    if (message.type === 'who') announce({ type: 'owner', owner });
    else if (message.type === 'attach' && message.epoch === owner.epoch)
      this.#serve(transport, owner.tab, address);
  }

  /** A thread of this worker's own tab has ended. */
  gone({ address, transport }: LocalPort): void {
    const key = keyOf(this.#parts.owner.tab, address);
    if (this.#served.get(key)?.way === transport) this.#end(key);
  }

  /** Says it to every page. */
  publish(event: EngineEvent): void {
    if (!this.#closed) this.#parts.announce({ type: 'event', event });
  }

  /** Serves nobody any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#parts.ports.listener === this) this.#parts.ports.listener = null;
    this.#control?.close();
    for (const { end } of this.#served.values()) end();
    for (const { channel, watch } of this.#tabs.values()) {
      watch.abort();
      channel.close();
    }
  }

  #serve(way: Transport, tab: TabId, address: Address): void {
    const key = keyOf(tab, address);
    // Said again because the answer was slow.
    if (this.#served.get(key)?.way !== way) {
      this.#end(key);
      this.#served.set(key, this.#begin(way, tab, address));
    }
    const { owner } = this.#parts;
    const attached: Attached = { type: 'attached', owner };
    way.post({
      v: PROTOCOL,
      epoch: owner.epoch,
      tab: owner.tab,
      from: 'engine',
      to: address,
      body: attached,
    });
  }

  #begin(way: Transport, tab: TabId, address: Address): Served {
    const { engine, owner } = this.#parts;
    const client: EngineClient = {
      tab,
      address,
      // A dead one's session is still read to its end.
      acknowledged: (sessionId, message) =>
        void rpc.acknowledged.asEvent(sessionId, message).catch(() => undefined),
    };
    const api = engine.apiFor(client);
    const rpc = createRpc<EngineEvents, EngineApi>(
      endpointOn(way, { tab: owner.tab, from: 'engine', to: address, epoch: owner.epoch }),
      { ...api, health: async () => byTime([...this.#parts.lines(), ...(await api.health())]) },
    );
    const end = (): void => rpc.$close(new UnisonoError('engine-changed', 'This engine is over.'));
    return { client, way, end };
  }

  #channelOf(tab: TabId, open: OpenTransport): Transport {
    const known = this.#tabs.get(tab);
    if (known) return known.channel;
    const { locks } = this.#parts;
    const remote: RemoteTab = { channel: open(CHANNELS.tab(tab)), watch: new AbortController() };
    this.#tabs.set(tab, remote);
    // Granted when the page that holds it is dead.
    locks
      ?.request(LOCKS.tab(tab), { signal: remote.watch.signal }, () => this.#tabGone(tab, remote))
      .catch(() => undefined);
    return remote.channel;
  }

  #tabGone(tab: TabId, { channel }: RemoteTab): void {
    if (this.#closed) return;
    this.#tabs.delete(tab);
    for (const [key, { client, way }] of [...this.#served])
      if (client.tab === tab && way === channel) this.#end(key);
    channel.close();
    this.#parts.announce({ type: 'tab-gone', tab });
  }

  #end(key: string): void {
    const served = this.#served.get(key);
    if (!served) return;
    this.#served.delete(key);
    served.end();
    this.#parts.engine.clientGone(served.client);
  }
}

/** The engine and those it serves, as the election holds them. */
export const runningEngine = (engine: Engine, clients: Clients): RunningEngine => ({
  get idle() {
    return engine.idle;
  },
  drain: () => engine.drain(),
  dispose: async () => {
    await engine.dispose();
    clients.close();
  },
});

const keyOf = (tab: TabId, address: Address): string => `${tab}/${address}`;

const byTime = (entries: HealthEntry[]): HealthEntry[] =>
  entries.sort((first, second) => first.atMs - second.atMs);
