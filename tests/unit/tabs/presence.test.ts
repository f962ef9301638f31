import { expect, test } from 'vitest';
import type { SessionId, TabId } from '@core/protocol/ids.ts';
import { CHANNELS, LOCKS, PROTOCOL, type ControlMessage, type TabState } from '@core/protocol/tabs.ts';
import { Presence } from '@core/tabs/presence.ts';
import { holdLock } from '@core/util/locks.ts';
import { MemoryBus } from '../../support/memory-transport.ts';
import { SimLocks } from '../../support/sim-locks.ts';
import { VirtualClock, settled } from '../../support/virtual-clock.ts';

const SESSION = 'session' as SessionId;

function browser() {
  const dead = new Set<string>();
  const bus = new MemoryBus((to, run) => queueMicrotask(() => !dead.has(to) && run()));
  const locks = new SimLocks();
  const clock = new VirtualClock();
  const control = (name: string) => bus.opener(name)(CHANNELS.control);
  const open = async (name: string, build = 1): Promise<Presence> => {
    const tab = name as TabId;
    const own = locks.client(name);
    void holdLock(own, LOCKS.tab(tab));
    const presence = new Presence({ tab, build, control: control(name), locks: own, clock });
    await clock.pass(10);
    return presence;
  };
  const say = async (name: string, body: ControlMessage): Promise<void> => {
    control(name).post({ v: PROTOCOL, epoch: 0, tab: name as TabId, from: 'page', to: '*', body });
    await settled();
  };
  const crash = (name: string): void => {
    dead.add(name);
    locks.die(name);
  };
  /** What tabs tell of themselves from now on, in turn. */
  const overhear = (): TabState[] => {
    const told: TabState[] = [];
    control('listener').listen(({ body }) => {
      const message = body as ControlMessage;
      if (message.type === 'tab') told.push(message.state);
    });
    return told;
  };
  return { open, say, crash, overhear };
}

const namesIn = (presence: Presence): string[] => presence.tabs.map(({ tab }) => tab);

test('every tab knows all the others, whoever opened first, in the order they were opened', async () => {
  const { open } = browser();
  const tabs = [await open('first'), await open('second', 2), await open('third')];
  for (const presence of tabs) expect(namesIn(presence)).toEqual(['first', 'second', 'third']);
  expect(tabs[0]!.tabs.map(({ build, openedAtMs }) => [build, openedAtMs])).toEqual([
    [1, 0],
    [2, 10],
    [1, 20],
  ]);
});

test('the others see at once that a tab records or is hidden', async () => {
  const { open } = browser();
  const [first, second] = [await open('first'), await open('second')];
  let changes = 0;
  const end = first.onChange(() => (changes += 1));
  second.set({ recording: [SESSION] });
  second.set({ visible: false });
  await settled();
  expect(first.tabs[1]).toMatchObject({ tab: 'second', recording: [SESSION], visible: false });
  expect(changes).toBe(2);
  end();
  second.set({ visible: true });
  await settled();
  expect(changes).toBe(2);
});

test('a tab that says again what it does tells nobody: nothing has changed', async () => {
  const { open, overhear } = browser();
  const [first, told] = [await open('first'), overhear()];
  let changes = 0;
  first.onChange(() => (changes += 1));
  first.set({ visible: true });
  first.set({ recording: [] });
  first.set({ recording: [SESSION] });
  first.set({ recording: [SESSION], visible: true });
  first.set({ visible: false });
  await settled();
  expect(told.map(({ visible, recording }) => [visible, recording])).toEqual([
    [true, [SESSION]],
    [false, [SESSION]],
  ]);
  expect(changes).toBe(2);
});

test('a tab that was taken for dead by mistake is in the list again', async () => {
  const { open, say } = browser();
  const [first] = [await open('first'), await open('second')];
  await say('third', { type: 'tab-gone', tab: 'second' as TabId });
  expect(namesIn(first)).toEqual(['first', 'second']);
});

test('a tab that opens later is told what the others do', async () => {
  const { open } = browser();
  const first = await open('first');
  first.set({ recording: [SESSION] });
  const second = await open('second');
  expect(second.tabs[0]).toMatchObject({ tab: 'first', recording: [SESSION] });
});

test('what the threads of a tab ask of the engine does not make the tab tell itself again', async () => {
  const { open, say } = browser();
  const [first] = [await open('first'), await open('second')];
  let changes = 0;
  first.onChange(() => (changes += 1));
  await say('second', { type: 'who' });
  expect(changes).toBe(0);
});

test('a tab leaves the list when the engine says that it is gone', async () => {
  const { open, say, crash } = browser();
  const first = await open('first');
  await open('second');
  let changes = 0;
  first.onChange(() => (changes += 1));
  crash('second');
  await say('third', { type: 'tab-gone', tab: 'second' as TabId });
  await say('third', { type: 'tab-gone', tab: 'never seen' as TabId });
  expect(namesIn(first)).toEqual(['first']);
  expect(changes).toBe(1);
});

test('a tab that crashed is forgotten when the list is asked for, without any engine', async () => {
  const { open, crash } = browser();
  const first = await open('first');
  await open('second');
  await open('third');
  crash('second');
  await first.refresh();
  expect(namesIn(first)).toEqual(['first', 'third']);
});

test('a roll call clears the list too, and drops nobody who has just come', async () => {
  const { open, crash } = browser();
  const first = await open('first');
  await open('second');
  crash('second');
  await open('third');
  expect(namesIn(first)).toEqual(['first', 'third']);
});

test('a closed one listens and tells no more', async () => {
  const { open } = browser();
  const [first, second] = [await open('first'), await open('second')];
  let changes = 0;
  second.onChange(() => (changes += 1));
  second.close();
  first.set({ visible: false });
  second.set({ visible: false });
  await settled();
  expect(second.tabs[0]).toMatchObject({ visible: true });
  expect(first.tabs[1]).toMatchObject({ visible: true });
  expect(changes).toBe(0);
});
