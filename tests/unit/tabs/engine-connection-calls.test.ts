import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { UnisonoError } from '@core/protocol/errors.ts';
import { healthOf, lag, outcome, world } from '../../support/announced-engine.ts';
import { settled } from '../../support/virtual-clock.ts';

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
