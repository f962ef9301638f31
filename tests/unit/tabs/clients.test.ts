import { describe, expect, it } from 'vitest';
import type { EngineApi, EngineEvents } from '@core/protocol/engine.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import { createRpc, endpointOn } from '@core/protocol/rpc.ts';
import {
  CHANNELS,
  LOCKS,
  PROTOCOL,
  type Address,
  type ControlMessage,
  type Envelope,
  type Owner,
} from '@core/protocol/tabs.ts';
import type { Transport } from '@core/tabs/transport.ts';
import { Clients, type ClientsParts } from '@workers/engine/clients.ts';
import type { EngineClient } from '@workers/engine/client.ts';
import { MemoryBus } from '../../support/memory-transport.ts';
import { SimLocks } from '../../support/sim-locks.ts';

const HERE = 'tab-here' as TabId;
const THERE = 'tab-there' as TabId;
const SESSION = 'session' as SessionId;
const OWNER: Owner = { epoch: 3 as Epoch, tab: HERE, build: 1, phase: 'ready' };

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function hub() {
  const bus = new MemoryBus();
  const locks = new SimLocks();
  for (const tab of [HERE, THERE])
    void locks.client(tab).request(LOCKS.tab(tab), () => new Promise(() => undefined));
  const served: EngineClient[] = [];
  const gone: EngineClient[] = [];
  const said: ControlMessage[] = [];
  const ports: ClientsParts['ports'] & { addresses: Address[] } = {
    listener: null,
    addresses: [],
    has: (address) => ports.addresses.includes(address),
  };
  const clients = new Clients({
    engine: {
      apiFor: (client) => {
        served.push(client);
        const api: Partial<EngineApi> = {
          models: async () => [],
          health: async () => [{ atMs: 2, level: 'info', scope: 'model', code: 'model-loaded', message: '' }],
        };
        return api as EngineApi;
      },
      clientGone: (client) => gone.push(client),
    },
    owner: OWNER,
    ports,
    open: bus.opener('engine'),
    locks: locks.client('engine'),
    announce: (message) => said.push(message),
    lines: () => [{ atMs: 1, level: 'info', scope: 'engine', code: 'engine-created', message: '' }],
  });

  /** A thread of a tab, on its own or on the tab's channel. */
  const thread = (tab: TabId, address: Address, port?: Transport) => {
    const control = bus.opener(tab)(CHANNELS.control);
    const way = port ?? bus.opener(tab)(CHANNELS.tab(tab));
    const answers: Envelope[] = [];
    way.listen((envelope) => {
      if (envelope.to === address && 'type' in (envelope.body as object)) answers.push(envelope);
    });
    const acknowledged: SessionId[] = [];
    const rpc = createRpc<EngineApi, EngineEvents>(
      endpointOn(way, { tab, from: address, to: 'engine', epoch: OWNER.epoch }),
      { event: () => undefined, acknowledged: (sessionId) => void acknowledged.push(sessionId) },
    );
    const attach = async (epoch: Epoch = OWNER.epoch): Promise<void> => {
      const body: ControlMessage = { type: 'attach', address, epoch };
      control.post({ v: PROTOCOL, epoch, tab, from: address, to: 'engine', body });
      await settled();
    };
    return { rpc, attach, answers, acknowledged };
  };
  return { bus, locks, clients, served, gone, said, ports, thread };
}

describe('the hub', () => {
  it('answers a thread of another tab on its channel, and serves it there', async () => {
    const { thread, served } = hub();
    const page = thread(THERE, 'page');
    await page.attach();
    expect(page.answers.map(({ body }) => body)).toEqual([{ type: 'attached', owner: OWNER }]);
    expect(await page.rpc.models()).toEqual([]);
    expect(served.map(({ tab, address }) => [tab, address])).toEqual([[THERE, 'page']]);
  });

  it('answers again who asks again, and serves it once', async () => {
    const { thread, served, gone } = hub();
    const page = thread(THERE, 'page');
    await page.attach();
    await page.attach();
    expect(page.answers).toHaveLength(2);
    expect(served).toHaveLength(1);
    expect(gone).toEqual([]);
  });

  it('does not answer who wants another epoch', async () => {
    const { thread, served } = hub();
    const page = thread(THERE, 'page');
    await page.attach(2 as Epoch);
    expect([page.answers, served]).toEqual([[], []]);
  });

  it('acknowledges to the thread that sent the speech, and to no other of its tab', async () => {
    const { thread, served } = hub();
    const page = thread(THERE, 'page');
    const capture = thread(THERE, `capture/${SESSION}`);
    await page.attach();
    await capture.attach();
    served[1]!.acknowledged(SESSION, { type: 'acknowledged' } as Parameters<EngineClient['acknowledged']>[1]);
    await settled();
    expect([page.acknowledged, capture.acknowledged]).toEqual([[], [SESSION]]);
  });

  it('notices a dead tab by its lock: the engine is told of each of its threads, the tabs of it', async () => {
    const { thread, locks, gone, said } = hub();
    await thread(THERE, 'page').attach();
    await thread(THERE, `capture/${SESSION}`).attach();
    expect(gone).toEqual([]);
    locks.die(THERE);
    await settled();
    expect(gone.map(({ address }) => address)).toEqual(['page', `capture/${SESSION}`]);
    expect(said).toEqual([{ type: 'tab-gone', tab: THERE }]);
  });

  it('serves a thread of its own tab by its port, until that ends', async () => {
    const { bus, clients, thread, gone } = hub();
    const [near, far] = bus.pair('page', 'engine');
    const page = thread(HERE, 'page', near);
    const port = { address: 'page', transport: far } as const;
    const body: ControlMessage = { type: 'attach', address: 'page', epoch: OWNER.epoch };
    clients.message(port, { v: PROTOCOL, epoch: 3, tab: HERE, from: 'page', to: 'engine', body });
    far.listen(() => undefined);
    expect(await page.rpc.models()).toEqual([]);
    clients.gone(port);
    expect(gone.map(({ address }) => address)).toEqual(['page']);
  });

  it('serves one of its own tab by the channel only when it has no port to it', async () => {
    const { thread, served, ports } = hub();
    ports.addresses.push('page');
    await thread(HERE, 'page').attach();
    await thread(HERE, `capture/${SESSION}`).attach();
    expect(served.map(({ address }) => address)).toEqual([`capture/${SESSION}`]);
  });

  it('adds what its worker knows of the engine’s creation to the health lines', async () => {
    const { thread } = hub();
    const page = thread(THERE, 'page');
    await page.attach();
    expect((await page.rpc.health()).map(({ code }) => code)).toEqual(['engine-created', 'model-loaded']);
  });

  it('says and serves nothing once it is over', async () => {
    const { thread, clients, said, served } = hub();
    clients.close();
    clients.publish({ type: 'storage', error: null });
    await thread(THERE, 'page').attach();
    expect([said, served]).toEqual([[], []]);
  });
});
