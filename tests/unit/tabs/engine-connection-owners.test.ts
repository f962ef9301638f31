import { describe, expect, test } from 'vitest';
import { UnisonoError, toWire } from '@core/protocol/errors.ts';
import type { EngineConnection } from '@core/tabs/engine-connection.ts';
import {
  AnnouncedEngine,
  HERE,
  SESSION,
  SPEECH,
  healthOf,
  lag,
  outcome,
  world,
} from '../../support/announced-engine.ts';
import { settled } from '../../support/virtual-clock.ts';

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
    new AnnouncedEngine(bus.opener('worker'), 1, HERE, workerPort);
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
    new AnnouncedEngine(bus.opener('worker'), 1, HERE, workerPort);
    const connection = connect();
    await settled();
    const [port, secondPort] = bus.pair('page', 'second worker');
    const second = new AnnouncedEngine(bus.opener('second worker'), 2, HERE, secondPort);
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
    const first = new AnnouncedEngine(bus.opener('worker'), 1, HERE, workerPort);
    const connection = connect();
    const call = outcome(connection.call('health', []));
    await settled();
    const [port, secondPort] = bus.pair('page', 'second worker');
    connection.usePort(port);
    expect(connection.owner).toBeNull();
    const second = new AnnouncedEngine(bus.opener('second worker'), 2, HERE, secondPort);
    await settled();
    expect([first.heard, second.heard]).toEqual([['health'], ['health']]);
    second.asked[0]!.resolve(healthOf('answered'));
    await settled();
    expect(call.code).toBe('answered');
  });
});
