import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Owner } from '@core/protocol/tabs.ts';
import { newSessionId } from '@core/protocol/ids.ts';
import { openBroadcast } from '@core/tabs/broadcast-transport.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { wallClock } from '@core/util/clock.ts';
import { EngineClient } from '@src/engine/engine-client.ts';

/** Two clients in one page are to one another what two tabs are: each has its worker, locks and channels. */
const PlainWorker = globalThis.Worker;
const clients: EngineClient[] = [];
let workers: Worker[] = [];

beforeEach(() => {
  workers = [];
  globalThis.Worker = class extends PlainWorker {
    constructor(...parameters: ConstructorParameters<typeof Worker>) {
      super(...parameters);
      if (parameters[1]?.name === 'engine') workers.push(this);
    }
  };
});

afterEach(() => {
  for (const client of clients.splice(0)) client.dispose();
  globalThis.Worker = PlainWorker;
});

function openTab(): EngineClient {
  const client = new EngineClient();
  clients.push(client);
  return client;
}

const attached = (client: EngineClient, isIt: (owner: Owner) => boolean = () => true): Promise<Owner> =>
  new Promise((resolve) => {
    const check = (owner: Owner | null): void => {
      if (owner && isIt(owner)) resolve(owner);
    };
    client.onOwner(check);
    check(client.owner);
  });

const codes = async (client: EngineClient): Promise<string[]> =>
  (await client.health()).map(({ code }) => code);

test('two tabs have one engine, and each is served', async () => {
  const first = openTab();
  const owner = await attached(first);
  const second = openTab();
  expect(await attached(second)).toMatchObject({ epoch: owner.epoch, tab: first.tab, phase: 'ready' });
  const [ours, theirs] = await Promise.all([first.models(), second.models()]);
  expect(theirs).toEqual(ours);
  expect(theirs.length).toBeGreaterThan(0);
  expect((await second.report()).tab).toBe(first.tab);
  // What its own tab logged of the engine's creation can be read in every tab, once.
  for (const tab of [first, second])
    expect((await codes(tab)).filter((code) => code === 'engine-created')).toHaveLength(1);
});

test('fifty tabs that open at once are all served, and the model they all want is loaded once', async () => {
  const tabs = Array.from({ length: 50 }, openTab);
  const models = await Promise.all(tabs.map((tab) => tab.prepare('moonshine-tiny')));
  expect(models.filter(({ state }) => state === 'ready')).toHaveLength(50);
  const { loads, clients: served } = await tabs[0]!.report();
  expect(loads).toHaveLength(1);
  expect(served).toBe(50);
});

test('when the owner dies another tab goes on, and no call is left without an answer', async () => {
  const first = openTab();
  const old = await attached(first);
  const second = openTab();
  await attached(second);
  const next = attached(second, ({ epoch }) => epoch > old.epoch);
  workers[0]!.terminate();
  const pending = Promise.all([first.models(), second.models()]);
  expect((await next).tab).toBe(second.tab);
  expect((await pending).map((models) => models.length > 0)).toEqual([true, true]);
  expect(await attached(first, ({ epoch }) => epoch > old.epoch)).toMatchObject({ tab: second.tab });
});

test('a tab alone whose worker died starts another', async () => {
  const tab = openTab();
  const old = await attached(tab);
  const next = attached(tab, ({ epoch }) => epoch > old.epoch);
  workers[0]!.terminate();
  const pending = tab.models();
  expect((await next).tab).toBe(tab.tab);
  expect(await pending).not.toEqual([]);
  expect(await codes(tab)).toContain('engine-worker-gone');
});

test('a capture worker goes on when the engine worker of its tab died, though its port died with it', async () => {
  const tab = openTab();
  const sessionId = newSessionId();
  const owners: number[] = [];
  const capture = new EngineConnection({
    tab: tab.tab,
    address: `capture/${sessionId}`,
    port: new PortTransport(tab.openPort(sessionId)),
    open: openBroadcast,
    clock: wallClock,
    events: { event: () => undefined, acknowledged: () => undefined },
    onOwner: (owner) => owner && owners.push(owner.epoch),
  });
  expect(await capture.call('sessions', [])).toEqual([]);
  workers[0]!.terminate();
  await attached(tab, ({ epoch }) => epoch > owners[0]!);
  expect((await capture.call('report', [])).epoch).toBe(owners[0]! + 1);
  expect(owners).toHaveLength(2);
  capture.close();
});

test('a tab that goes away hands the engine on at once, and is known to be gone', async () => {
  const first = openTab();
  const old = await attached(first);
  const second = openTab();
  await attached(second);
  expect(second.presence.tabs.map(({ tab }) => tab)).toContain(first.tab);
  const gone = new Promise<void>((resolve) => {
    second.presence.onChange(() => {
      if (second.presence.tabs.length === 1) resolve();
    });
  });
  const next = attached(second, ({ epoch }) => epoch > old.epoch);
  first.dispose();
  expect((await next).epoch).toBe(old.epoch + 1);
  await second.presence.refresh();
  await gone;
  expect(second.presence.tabs.map(({ tab }) => tab)).toEqual([second.tab]);
});

test('the page of the owner is shielded from being frozen, that of another tab is not', async () => {
  const first = openTab();
  await attached(first);
  const second = openTab();
  await attached(second);
  const shields = async (): Promise<string[]> =>
    ((await navigator.locks.query()).held ?? [])
      .map(({ name = '' }) => name)
      .filter((name) => name.startsWith('unisono/shield/'));
  expect(await shields()).toEqual([`unisono/shield/${first.tab}`]);
});
