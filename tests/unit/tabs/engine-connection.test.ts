import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { SpeechMessage } from '@core/protocol/audio.ts';
import { PROTOCOL, CHANNELS, type Address, type ControlMessage, type Owner } from '@core/protocol/tabs.ts';
import type { EngineApi, EngineEvent, EngineEvents, HealthEntry } from '@core/protocol/engine.ts';
import { UnisonoError, toWire } from '@core/protocol/errors.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import { createRpc, endpointOn } from '@core/protocol/rpc.ts';
import { EngineConnection, type ConnectionParts } from '@core/tabs/engine-connection.ts';
import type { Transport } from '@core/tabs/transport.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { MemoryBus } from '../../support/memory-transport.ts';
import { VirtualClock, settled } from '../../support/virtual-clock.ts';

const HERE = 'tab-here' as TabId;
const THERE = 'tab-there' as TabId;
const SESSION = 'session' as SessionId;
const SPEECH = { type: 'speech-cancel', sourceId: 'mic', utterance: 0 } as unknown as SpeechMessage;

const lag = (lagMs: number): EngineEvent => ({
  type: 'lag',
  sessionId: SESSION,
  lagMs,
  waitingUtterances: 0,
});
const healthOf = (code: string): HealthEntry[] => [
  { atMs: 0, level: 'info', scope: 'engine', code, message: '' },
];

/** An engine as its clients see it: announces itself, answers `attach`, and answers `health` when told to. */
class Engine {
  readonly owner: Owner;
  /** Unanswered `health` calls, oldest first. */
  readonly asked: Deferred<readonly HealthEntry[]>[] = [];
  readonly heard: string[] = [];
  readonly attaches: Address[] = [];
  listening = true;
  answering = true;
  /** Says `attached` to the last that asked. */
  answer: () => void = () => undefined;
  events: ReturnType<typeof createRpc<EngineEvents, EngineApi>> | null = null;
  readonly #control: Transport;
  readonly #port: Transport | null;
  readonly #open: (channel: string) => Transport;

  constructor(
    open: (channel: string) => Transport,
    epoch: number,
    tab: TabId,
    port: Transport | null = null,
  ) {
    this.owner = { epoch: epoch as Epoch, tab, build: 1, phase: 'ready' };
    this.#open = open;
    this.#control = open(CHANNELS.control);
    this.#port = port;
    this.#control.listen(({ body, tab: from }) => {
      this.#onMessage(body as ControlMessage, () => open(CHANNELS.tab(from)));
    });
    port?.listen(({ body }) => this.#onMessage(body as ControlMessage, () => port));
  }

  say(body: ControlMessage, epoch: number = this.owner.epoch): void {
    const envelope = { v: PROTOCOL, epoch, tab: this.owner.tab, from: 'engine', to: '*', body } as const;
    this.#control.post(envelope);
    this.#port?.post(envelope);
  }

  announce(phase: Owner['phase'] = 'ready'): void {
    this.say({ type: 'owner', owner: { ...this.owner, phase } });
  }

  /** Another owner's way to the same channels. */
  next(epoch: number, tab: TabId = THERE): Engine {
    return new Engine(this.#open, epoch, tab);
  }

  #onMessage(message: ControlMessage, way: () => Transport): void {
    if (!this.listening) return;
    if (message.type === 'who') this.announce();
    if (message.type !== 'attach' || message.epoch !== this.owner.epoch) return;
    this.attaches.push(message.address);
    const { tab, epoch } = this.owner;
    const transport = way();
    const line = { tab, epoch, from: 'engine', to: message.address } as const;
    const api: Partial<EngineApi> = {
      health: () => {
        this.heard.push('health');
        const answer = deferred<readonly HealthEntry[]>();
        this.asked.push(answer);
        return answer.promise;
      },
      models: async () => {
        this.heard.push('models');
        return [];
      },
      speech: () => void this.heard.push('speech'),
    };
    this.events = createRpc<EngineEvents, EngineApi>(endpointOn(transport, line), api as EngineApi);
    this.answer = () =>
      transport.post({ v: PROTOCOL, ...line, body: { type: 'attached', owner: this.owner } });
    if (this.answering) this.answer();
  }
}

function world(parts: Partial<ConnectionParts> = {}) {
  const bus = new MemoryBus();
  const clock = new VirtualClock();
  const [port, workerPort] = bus.pair('page', 'worker');
  const seen = {
    owners: [] as (number | null)[],
    events: [] as number[],
    acknowledged: 0,
    foreign: [] as number[],
  };
  const connect = (): EngineConnection =>
    new EngineConnection({
      tab: HERE,
      address: 'page',
      port,
      open: bus.opener('page'),
      clock,
      events: {
        event: (event) => {
          if (event.type === 'lag') seen.events.push(event.lagMs);
        },
        acknowledged: () => void (seen.acknowledged += 1),
      },
      onOwner: (owner) => void seen.owners.push(owner?.epoch ?? null),
      onForeignProtocol: (v) => void seen.foreign.push(v),
      ...parts,
    });
  const there = (epoch: number, tab = THERE): Engine => new Engine(bus.opener('there'), epoch, tab);
  return { bus, clock, workerPort, seen, connect, there };
}

/** How a call ended, without waiting for one that does not. */
function outcome(call: Promise<readonly HealthEntry[]>) {
  const end = { code: 'waiting', settlements: 0 };
  const settle = (code: string): void => {
    end.code = code;
    end.settlements += 1;
  };
  call.then(
    ([entry]) => settle(entry!.code),
    (error: unknown) => settle(error instanceof UnisonoError ? error.code : String(error)),
  );
  return end;
}

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
    const engine = new Engine(bus.opener('worker'), 1, HERE, workerPort);
    await expect(connection.call('models', [])).resolves.toEqual([]);
    expect(engine.attaches).toEqual(['page']);
    expect(connection.owner?.tab).toBe(HERE);
  });

  test('the own engine is attached to once, though it speaks on the control channel as well', async () => {
    const { connect, workerPort, bus, seen } = world();
    const engine = new Engine(bus.opener('worker'), 1, HERE, workerPort);
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

describe('when the engine changes its owner', () => {
  test('a call under way is made once on the next engine, and its answer arrives once', async () => {
    const { connect, there, seen } = world();
    const first = there(1);
    const connection = connect();
    const call = outcome(connection.call('health', []));
    await settled();
    const second = first.next(2);
    second.announce();
    await settled();
    second.announce();
    await settled();
    expect([first.heard, second.heard]).toEqual([['health'], ['health']]);
    first.asked[0]!.resolve(healthOf('from the old one'));
    await settled();
    expect(call.code).toBe('waiting');
    second.asked[0]!.resolve(healthOf('from the new one'));
    await settled();
    expect(call).toEqual({ code: 'from the new one', settlements: 1 });
    expect(seen.owners).toEqual([1, null, 2]);
  });

  test.each(['leaving', 'hand-over', 'boot-failed'] as const)(
    'after %s there is no engine: calls wait for the next one',
    async (type) => {
      const { connect, there, seen } = world();
      const first = there(1);
      const connection = connect();
      const call = outcome(connection.call('health', []));
      await settled();
      const { owner } = first;
      first.say({ type, owner, to: HERE, error: toWire(new Error('no')), retryInMs: 1000 });
      await settled();
      expect(connection.owner).toBeNull();
      expect(connection.speech(SESSION, SPEECH)).toBe(false);
      // What the old one had sent before comes late.
      first.announce();
      await settled();
      expect(connection.owner).toBeNull();
      const second = first.next(2);
      second.announce();
      await settled();
      second.asked[0]!.resolve(healthOf('answered'));
      await settled();
      expect(call.code).toBe('answered');
      expect(seen.owners).toEqual([1, null, 2]);
    },
  );

  test('an engine that boots means that the one before is gone', async () => {
    const { connect, there, seen } = world();
    const first = there(1);
    const connection = connect();
    await settled();
    first.next(2).announce('booting');
    await settled();
    expect(connection.owner).toBeNull();
    expect(seen.owners).toEqual([1, null]);
  });

  test('a stolen engine that wakes up is not believed any more', async () => {
    const { connect, there, seen } = world();
    const first = there(1);
    const connection = connect();
    await settled();
    first.next(2).announce();
    await settled();
    first.say({ type: 'alive', owner: first.owner, busyUntilMs: 0 });
    first.say({ type: 'event', event: lag(1) });
    first.say({ type: 'leaving', owner: first.owner });
    void first.events!.event.asEvent(lag(2));
    void first.events!.acknowledged.asEvent(SESSION, { type: 'acknowledged' } as never);
    await settled();
    expect(connection.owner?.epoch).toBe(2);
    expect(seen).toMatchObject({ events: [], acknowledged: 0 });
  });

  test('an engine that knows already that it was replaced does not fail the call', async () => {
    const { connect, there } = world();
    const first = there(1);
    const connection = connect();
    const call = outcome(connection.call('health', []));
    await settled();
    first.asked[0]!.reject(new UnisonoError('engine-changed', 'Another engine owns the store.'));
    await settled();
    expect(call.code).toBe('waiting');
    const second = first.next(2);
    second.announce();
    await settled();
    second.asked[0]!.resolve(healthOf('answered'));
    await settled();
    expect(call.code).toBe('answered');
  });

  test('what is called when a new owner is there goes before what waited', async () => {
    let connection: EngineConnection | null = null;
    const { connect, there } = world({
      onOwner: (owner) => owner && void connection?.call('models', []),
    });
    connection = connect();
    void connection.call('health', []).catch(() => undefined);
    const engine = there(1);
    engine.announce();
    await settled();
    expect(engine.heard).toEqual(['models', 'health']);
  });

  test('a thread whose port leads to a dead worker is served over the channel by each worker that follows', async () => {
    const { connect, workerPort, bus, there, clock, seen } = world();
    new Engine(bus.opener('worker'), 1, HERE, workerPort);
    const connection = connect();
    await settled();
    workerPort.close();
    for (const epoch of [2, 3]) {
      there(epoch, HERE).announce();
      await clock.pass(1000);
      expect(connection.owner?.epoch).toBe(epoch);
    }
    expect(seen.owners).toEqual([1, null, 2, null, 3]);
  });

  test('the way to the new engine worker comes after that has taken the engine: it is attached to', async () => {
    const { connect, workerPort, bus, seen } = world();
    new Engine(bus.opener('worker'), 1, HERE, workerPort);
    const connection = connect();
    await settled();
    const [port, secondPort] = bus.pair('page', 'second worker');
    const second = new Engine(bus.opener('second worker'), 2, HERE, secondPort);
    second.say({ type: 'alive', owner: second.owner, busyUntilMs: 0 });
    await settled();
    connection.usePort(port);
    second.announce();
    await settled();
    expect(connection.owner?.epoch).toBe(2);
    expect(seen.owners.at(-1)).toBe(2);
  });

  test('the engine worker of this tab was started again: calls go to the new one', async () => {
    const { connect, workerPort, bus } = world({ open: null });
    const first = new Engine(bus.opener('worker'), 1, HERE, workerPort);
    const connection = connect();
    const call = outcome(connection.call('health', []));
    await settled();
    const [port, secondPort] = bus.pair('page', 'second worker');
    connection.usePort(port);
    expect(connection.owner).toBeNull();
    const second = new Engine(bus.opener('second worker'), 2, HERE, secondPort);
    await settled();
    expect([first.heard, second.heard]).toEqual([['health'], ['health']]);
    second.asked[0]!.resolve(healthOf('answered'));
    await settled();
    expect(call.code).toBe('answered');
  });
});

describe('every call settles', () => {
  test('with the engine’s own error and its code', async () => {
    const { connect, there } = world();
    const engine = there(1);
    const call = connect().call('health', []);
    await settled();
    engine.asked[0]!.reject(new UnisonoError('model-failed', 'It does not load.'));
    await expect(call).rejects.toMatchObject({ code: 'model-failed', message: 'It does not load.' });
  });

  test('by its deadline, when no engine comes or none answers', async () => {
    const { connect, there, clock } = world();
    const connection = connect();
    const unheard = outcome(connection.call('health', [], { deadlineMs: 500 }));
    await clock.pass(499);
    expect(unheard.code).toBe('waiting');
    await clock.pass(1);
    expect(unheard.code).toBe('deadline');
    const engine = there(1);
    engine.announce();
    const unanswered = outcome(connection.call('health', [], { deadlineMs: 500 }));
    await clock.pass(500);
    expect(unanswered.code).toBe('deadline');
    // The answer comes too late.
    engine.asked[0]!.resolve(healthOf('late'));
    await settled();
    expect(unanswered).toEqual({ code: 'deadline', settlements: 1 });
    expect(connection.pending).toBe(0);
  });

  test('by its signal, with the signal’s reason, before and after it was sent', async () => {
    const { connect, there } = world();
    const connection = connect();
    await expect(connection.call('health', [], { signal: AbortSignal.abort('before') })).rejects.toBe(
      'before',
    );
    const stop = new AbortController();
    const waiting = connection.call('health', [], { signal: stop.signal });
    stop.abort('waiting');
    await expect(waiting).rejects.toBe('waiting');
    const engine = there(1);
    engine.announce();
    const stopSent = new AbortController();
    const sent = connection.call('health', [], { signal: stopSent.signal });
    await settled();
    expect(engine.heard).toEqual(['health']);
    stopSent.abort('sent');
    await expect(sent).rejects.toBe('sent');
    expect(connection.pending).toBe(0);
    // One signal may stand for a whole recording: an answered call leaves nothing on it.
    const recording = new AbortController();
    await connection.call('models', [], { signal: recording.signal });
    expect(getEventListeners(recording.signal, 'abort')).toEqual([]);
  });

  test('when the connection is closed', async () => {
    const { connect, there, seen } = world();
    const engine = there(1);
    const connection = connect();
    await settled();
    const calls = [connection.call('health', []), connection.call('health', [])].map(outcome);
    connection.close();
    calls.push(outcome(connection.call('health', [])));
    await settled();
    expect(calls.map(({ code }) => code)).toEqual(['engine-lost', 'engine-lost', 'engine-lost']);
    expect([connection.pending, connection.owner]).toEqual([0, null]);
    engine.say({ type: 'event', event: lag(1) });
    engine.next(2).announce();
    await settled();
    expect(seen).toMatchObject({ owners: [1], events: [] });
  });

  test('an argument that cannot be sent fails its own call only', async () => {
    const { connect, there } = world();
    const engine = there(1);
    const connection = connect();
    await settled();
    const unsendable = (() => undefined) as never;
    await expect(connection.call('prepare', [unsendable])).rejects.toBeInstanceOf(UnisonoError);
    await expect(connection.call('models', [])).resolves.toEqual([]);
    expect(engine.heard).toEqual(['models']);
  });

  test('how many are pending is told at each change: a tab with work waiting may take the engine over', async () => {
    const told: number[] = [];
    const { connect, there } = world({ onPending: (pending) => void told.push(pending) });
    const connection = connect();
    const calls = [connection.call('models', []), connection.call('models', [])];
    there(1).announce();
    await Promise.all(calls);
    expect(told).toEqual([1, 2, 1, 0]);
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
