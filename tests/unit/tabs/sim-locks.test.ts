import { describe, expect, it } from 'vitest';
import { deferred } from '@core/util/deferred.ts';
import { SimLocks } from '../../support/sim-locks.ts';

/** The simulated locks do as the browser's: what is proven with them holds there. */
describe('simulated Web Locks', () => {
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve));

  it('grants in the order of asking, and the next when the callback is done', async () => {
    const locks = new SimLocks();
    const order: string[] = [];
    const first = deferred<void>();
    void locks.client('a').request('x', async () => {
      order.push('a');
      await first.promise;
    });
    const second = locks.client('b').request('x', () => order.push('b'));
    const third = locks.client('c').request('x', () => order.push('c'));
    await settle();
    expect(order).toEqual(['a']);
    first.resolve();
    await Promise.all([second, third]);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(locks.holder('x')).toBeNull();
  });

  it('gives nothing, at once, to who wants it only if it is free', async () => {
    const locks = new SimLocks();
    void locks.client('a').request('x', () => new Promise(() => undefined));
    expect(await locks.client('b').request('x', { ifAvailable: true }, (lock) => lock)).toBeNull();
    expect(await locks.client('b').request('y', { ifAvailable: true }, (lock) => lock?.name)).toBe('y');
  });

  it('steals before all who wait, and tells who was robbed', async () => {
    const locks = new SimLocks();
    const robbed = locks.client('a').request('x', () => new Promise(() => undefined));
    void locks.client('b').request('x', () => undefined);
    await settle();
    const thief = locks.client('c').request('x', { steal: true }, () => locks.holder('x'));
    await expect(robbed).rejects.toMatchObject({ name: 'AbortError' });
    expect(await thief).toBe('c');
  });

  it('stops waiting when asked to, and keeps what was granted', async () => {
    const locks = new SimLocks();
    const abort = new AbortController();
    void locks.client('a').request('x', { signal: abort.signal }, () => new Promise(() => undefined));
    await settle();
    const waiting = locks.client('b').request('x', { signal: abort.signal }, () => undefined);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(locks.holder('x')).toBe('a');
  });

  it('frees what a dead party held, and forgets what it waited for', async () => {
    const locks = new SimLocks();
    void locks.client('a').request('x', () => new Promise(() => undefined));
    void locks.client('b').request('x', () => new Promise(() => undefined));
    const heir = locks.client('c').request('x', () => 'granted');
    await settle();
    locks.die('b');
    locks.die('a');
    expect(await heir).toBe('granted');
    expect(await locks.client('c').query()).toEqual({ held: [], pending: [] });
  });
});
