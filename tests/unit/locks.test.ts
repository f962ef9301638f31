import { expect, test } from 'vitest';
import { holdLock } from '@core/util/locks.ts';
import { SimLocks } from '../support/sim-locks.ts';
import { settled } from '../support/virtual-clock.ts';

test('a lock is held for as long as its thread lives, and then by who has waited for it', async () => {
  const locks = new SimLocks();
  expect(await holdLock(locks.client('first'), 'lock')).toBe(true);
  const waiting = holdLock(locks.client('second'), 'lock');
  expect(locks.holder('lock')).toBe('first');
  locks.die('first');
  expect(await waiting).toBe(true);
  expect(locks.holder('lock')).toBe('second');
});

test('a lock that another has is not waited for when only a free one is wanted', async () => {
  const locks = new SimLocks();
  const ifAvailable = true;
  expect(await holdLock(locks.client('first'), 'lock', { ifAvailable })).toBe(true);
  expect(await holdLock(locks.client('second'), 'lock', { ifAvailable })).toBe(false);
  locks.die('first');
  await settled();
  expect(locks.holder('lock')).toBeNull();
});

test('a lock that is not wanted any more is let go of, and its wait ends', async () => {
  const locks = new SimLocks();
  const [held, waiting] = [new AbortController(), new AbortController()];
  await holdLock(locks.client('first'), 'lock', { signal: held.signal });
  const second = holdLock(locks.client('second'), 'lock', { signal: waiting.signal });
  waiting.abort();
  expect(await second).toBe(false);
  held.abort();
  await settled();
  expect(locks.holder('lock')).toBeNull();
});

test('a lock that is not wanted any more by the time it is given is not kept', async () => {
  const locks = new SimLocks();
  const wanted = new AbortController();
  void holdLock(locks.client('tab'), 'lock', { signal: wanted.signal });
  wanted.abort();
  await settled();
  expect(locks.holder('lock')).toBeNull();
});

test('what the browser refuses is thrown', async () => {
  const refusing = { request: () => Promise.reject(new DOMException('no', 'SecurityError')) };
  await expect(holdLock(refusing, 'lock')).rejects.toMatchObject({ name: 'SecurityError' });
});
