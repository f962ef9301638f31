import { describe, expect, test } from 'vitest';
import { CHANNELS } from '@core/protocol/tabs.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { deferred } from '@core/util/deferred.ts';
import {
  AnnouncedEngine,
  HERE,
  SESSION,
  SPEECH,
  THERE,
  healthOf,
  lag,
  outcome,
  world,
} from '../../support/announced-engine.ts';
import { settled } from '../../support/virtual-clock.ts';

describe('finding the engine', () => {
  test('a second tab is ready at once: it asks who owns the engine and attaches, no time passes', async () => {
    const { connect, there, seen, clock } = world();
    const engine = there(3);
    const connection = connect();
    const models = connection.call('models', []);
    await expect(models).resolves.toEqual([]);
    expect(connection.owner).toEqual(engine.owner);
    expect(seen.owners).toEqual([3]);
    expect(clock.now()).toBe(0);
  });

  test('it attaches only when its tab holds its lock, or the engine would take it for dead', async () => {
    const locked = deferred<void>();
    const { connect, there } = world({ mayAttach: locked.promise });
    const engine = there(3);
    const models = connect().call('models', []);
    await settled();
    expect(engine.attaches).toEqual([]);
    locked.resolve();
    await expect(models).resolves.toEqual([]);
  });

  test('taken for dead by mistake it attaches again, and its call is answered', async () => {
    const { connect, there } = world();
    const engine = there(3);
    const connection = connect();
    await connection.call('models', []);
    const health = outcome(connection.call('health', []));
    await settled();
    engine.say({ type: 'tab-gone', tab: HERE });
    await settled();
    expect(engine.attaches).toHaveLength(2);
    engine.asked.at(-1)!.resolve(healthOf('answered'));
    await settled();
    expect(health).toEqual({ code: 'answered', settlements: 1 });
  });

  test('the engine of the own tab is reached over the port, without any BroadcastChannel', async () => {
    const { connect, workerPort, bus } = world({ open: null });
    const connection = connect();
    const engine = new AnnouncedEngine(bus.opener('worker'), 1, HERE, workerPort);
    await expect(connection.call('models', [])).resolves.toEqual([]);
    expect(engine.attaches).toEqual(['page']);
    expect(connection.owner?.tab).toBe(HERE);
  });

  test('the own engine is attached to once, though it speaks on the control channel as well', async () => {
    const { connect, workerPort, bus, seen } = world();
    const engine = new AnnouncedEngine(bus.opener('worker'), 1, HERE, workerPort);
    connect();
    await settled();
    engine.say({ type: 'event', event: lag(7) });
    await settled();
    expect(engine.attaches).toEqual(['page']);
    expect(seen.events).toEqual([7]);
  });

  test('calls wait for the engine while there is none, and go out in their order', async () => {
    const { connect, there } = world();
    const connection = connect();
    const calls = [connection.call('health', []), connection.call('models', [])];
    await settled();
    expect(connection.pending).toBe(2);
    expect(connection.owner).toBeNull();
    const engine = there(1);
    engine.announce('booting');
    await settled();
    expect(engine.attaches).toEqual([]);
    engine.announce();
    await settled();
    expect(engine.heard).toEqual(['health', 'models']);
    engine.asked[0]!.resolve([]);
    await Promise.all(calls);
    expect(connection.pending).toBe(0);
  });

  test('an attach that no one heard is said again every second until it is answered', async () => {
    const { connect, there, clock } = world();
    const engine = there(1);
    engine.listening = false;
    const connection = connect();
    engine.announce();
    await clock.pass(2500);
    expect(connection.owner).toBeNull();
    engine.listening = true;
    await clock.pass(500);
    expect(connection.owner?.epoch).toBe(1);
    await clock.pass(10_000);
    expect(engine.attaches).toEqual(['page']);
  });

  test('an attach that is answered twice attaches once', async () => {
    const { connect, there, seen, clock } = world();
    const engine = there(1);
    engine.answering = false;
    connect();
    await clock.pass(1500);
    expect(engine.attaches.length).toBe(2);
    engine.answer();
    engine.answer();
    await settled();
    expect(seen.owners).toEqual([1]);
  });

  test('nobody asks an engine that has left to be attached, and its late answer counts for nothing', async () => {
    const { connect, there, seen, clock } = world();
    const first = there(1);
    first.answering = false;
    connect();
    await settled();
    first.next(2).announce('booting');
    await clock.pass(5000);
    expect(first.attaches.length).toBe(1);
    first.answer();
    await settled();
    expect(seen.owners).toEqual([]);
  });

  test('a heartbeat is enough to find an owner whose announcement was missed', async () => {
    const { connect, there } = world();
    const engine = there(1);
    engine.listening = false;
    const connection = connect();
    await settled();
    engine.listening = true;
    engine.say({ type: 'alive', owner: engine.owner, busyUntilMs: 0 });
    await settled();
    expect(connection.owner?.epoch).toBe(1);
  });

  test('the page and a capture worker of one tab do not hear one another’s answers', async () => {
    const { bus, clock, connect, there, seen } = world();
    const engine = there(1);
    const page = connect();
    let acknowledgedToCapture = 0;
    const [port] = bus.pair('capture', 'worker');
    const capture = new EngineConnection({
      tab: HERE,
      address: `capture/${SESSION}`,
      port,
      open: bus.opener('capture'),
      clock,
      events: { event: () => undefined, acknowledged: () => void (acknowledgedToCapture += 1) },
      onOwner: () => undefined,
    });
    await settled();
    const [ofPage, ofCapture] = [outcome(page.call('health', [])), outcome(capture.call('health', []))];
    await settled();
    engine.asked[1]!.resolve(healthOf('for capture'));
    await settled();
    expect([ofPage.code, ofCapture.code]).toEqual(['waiting', 'for capture']);
    void engine.events!.acknowledged.asEvent(SESSION, { type: 'acknowledged' } as never);
    await settled();
    expect([seen.acknowledged, acknowledgedToCapture]).toEqual([0, 1]);
  });

  test('who speaks another protocol is reported and not listened to', async () => {
    const { bus, connect, seen } = world();
    const connection = connect();
    const owner = { epoch: 9, tab: THERE, build: 1, phase: 'ready' };
    bus
      .opener('there')(CHANNELS.control)
      .postRaw({ v: 99, epoch: 9, tab: THERE, from: 'engine', to: '*', body: { type: 'owner', owner } });
    await settled();
    expect(seen.foreign).toEqual([99]);
    expect(connection.owner).toBeNull();
  });
});

describe('speech and events', () => {
  test('speech is sent only while attached, in order with the calls', async () => {
    const { connect, there } = world();
    const connection = connect();
    expect(connection.speech(SESSION, SPEECH)).toBe(false);
    const engine = there(1);
    engine.announce();
    await settled();
    void connection.call('models', []);
    expect(connection.speech(SESSION, SPEECH)).toBe(true);
    void connection.call('models', []);
    await settled();
    expect(engine.heard).toEqual(['models', 'speech', 'models']);
  });

  test('events of an engine in another tab come over the control channel, acknowledgements over the tab’s own', async () => {
    const { connect, there, seen } = world();
    const engine = there(1);
    connect();
    await settled();
    engine.say({ type: 'event', event: lag(5) });
    void engine.events!.acknowledged.asEvent(SESSION, { type: 'acknowledged' } as never);
    await settled();
    expect(seen).toMatchObject({ events: [5], acknowledged: 1 });
  });
});
