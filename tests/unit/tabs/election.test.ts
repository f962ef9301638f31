import { describe, expect, it } from 'vitest';
import type { PageState } from '@core/protocol/engine-worker.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import {
  CHANNELS,
  LOCKS,
  PROTOCOL,
  type ControlMessage,
  type Envelope,
  type TabState,
} from '@core/protocol/tabs.ts';
import { Candidate, type Ownership } from '@core/tabs/election.ts';
import type { RunningEngine } from '@core/tabs/tenure.ts';
import { deferred } from '@core/util/deferred.ts';
import { World, type SimTab, type SimThread } from '../../support/world.ts';

const IDLE: PageState = { visible: false, working: false, recording: false };
const EAGER: PageState = { visible: true, working: true, recording: false };

class TestEngine implements RunningEngine {
  idle = true;
  drained = false;
  disposed = 0;
  async drain(): Promise<void> {
    this.drained = true;
  }
  async dispose(): Promise<void> {
    this.disposed += 1;
  }
}

/** Tabs with nothing but a candidate each, and one epoch counter. */
class Tabs {
  readonly world = new World(1);
  epoch = 0;
  #count = 0;

  async open(options: { build?: number; boot?: (ownership: Ownership) => Promise<RunningEngine> } = {}) {
    const tab = new TestTab(this, `tab-${(this.#count += 1)}` as TabId, options);
    await this.world.pass(50);
    return tab;
  }

  get holder(): string | null {
    return this.world.locks.holder(LOCKS.engine);
  }
}

class TestTab {
  readonly id: TabId;
  readonly sim: SimTab;
  readonly thread: SimThread;
  readonly candidate: Candidate;
  readonly engines: RunningEngine[] = [];
  readonly ownerships: Ownership[] = [];
  readonly codes: string[] = [];
  readonly said: ControlMessage[] = [];
  readonly owns: boolean[] = [];
  /** Messages that do not reach the channel. */
  loses: (message: ControlMessage) => boolean = () => false;

  constructor(
    tabs: Tabs,
    id: TabId,
    { build = 1, boot }: { build?: number; boot?: (ownership: Ownership) => Promise<RunningEngine> },
  ) {
    this.id = id;
    this.sim = tabs.world.openTab(id);
    this.thread = this.sim.startThread('engine');
    const control = this.thread.open(CHANNELS.control);
    this.candidate = new Candidate({
      tab: id,
      build,
      locks: this.thread.locks,
      clock: this.thread,
      open: this.thread.open,
      announce: (body) => {
        this.said.push(body);
        if (!this.loses(body)) control.post(envelopeOf(id, body));
      },
      nextEpoch: (above) =>
        this.thread.transact(() => (tabs.epoch = Math.max(tabs.epoch, above) + 1) as Epoch),
      boot: async (ownership) => {
        this.ownerships.push(ownership);
        const engine = boot ? await boot(ownership) : new TestEngine();
        this.engines.push(engine);
        return engine;
      },
      log: (_level, code) => this.codes.push(code),
      onOwnership: (owns) => this.owns.push(owns),
    });
  }

  get name(): string {
    return `${this.id}/engine`;
  }

  get engine(): TestEngine {
    const engine = this.engines.at(-1);
    if (!(engine instanceof TestEngine)) throw new Error('no engine');
    return engine;
  }

  /** What its page tells the other tabs. */
  tell(state: Partial<TabState>): void {
    const full: TabState = { tab: this.id, build: 1, openedAtMs: 0, visible: true, recording: [], ...state };
    this.thread.open(CHANNELS.control).post(envelopeOf(this.id, { type: 'tab', state: full }, 'page'));
  }

  times(type: ControlMessage['type']): number {
    return this.said.filter((message) => message.type === type).length;
  }
}

const envelopeOf = (tab: TabId, body: ControlMessage, from: Envelope['from'] = 'engine'): Envelope => ({
  v: PROTOCOL,
  epoch: 0,
  tab,
  from,
  to: '*',
  body,
});

describe('who owns the engine', () => {
  it('is one tab of many, and the next in line when it dies', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    const third = await tabs.open();
    expect([first, second, third].map(({ engines }) => engines.length)).toEqual([1, 0, 0]);
    first.sim.die();
    await tabs.world.pass(100);
    expect([second.engines.length, third.engines.length]).toEqual([1, 0]);
    expect(second.ownerships[0]?.owner).toMatchObject({ epoch: 2, tab: second.id, phase: 'booting' });
    expect(second.codes).toEqual(['engine-takeover', 'engine-creating', 'engine-created']);
    expect(first.codes).toEqual(['engine-creating', 'engine-created']);
  });

  it('waits for as long as it takes while the owner lives', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    second.candidate.page(EAGER);
    await tabs.world.pass(600_000);
    expect(tabs.holder).toBe(first.name);
    expect(second.codes).toEqual([]);
  });

  it('says that it boots, then that it is ready, then that it lives, and answers who asks', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const phases = first.said.flatMap((message) => (message.type === 'owner' ? [message.owner.phase] : []));
    expect(phases).toEqual(['booting', 'ready']);
    const before = first.times('alive');
    await tabs.world.pass(10_000);
    expect(first.times('alive') - before).toBe(5);
    const answers = first.times('owner');
    await tabs.open();
    expect(first.times('owner')).toBe(answers + 1);
  });

  it('is let go at once when the page goes away, and said to be', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    first.candidate.leave();
    await tabs.world.pass(50);
    expect(first.times('leaving')).toBe(1);
    expect(first.engine.disposed).toBe(1);
    expect(first.owns.at(-1)).toBe(false);
    expect(tabs.holder).toBe(second.name);
    // It never comes back by itself.
    second.sim.die();
    await tabs.world.pass(60_000);
    expect(tabs.holder).toBeNull();
  });

  it('has an epoch above all that were heard of, even when storage was cleared meanwhile', async () => {
    const tabs = new Tabs();
    tabs.epoch = 7;
    const first = await tabs.open();
    const second = await tabs.open();
    tabs.epoch = 0;
    first.sim.die();
    await tabs.world.pass(100);
    expect(second.ownerships[0]?.owner.epoch).toBe(9);
  });

  it('is nobody any more once a higher epoch is heard', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const { engine } = first;
    const stranger = tabs.world.openTab('stranger' as TabId).startThread('engine');
    const owner = { epoch: 9 as Epoch, tab: 'stranger' as TabId, build: 1, phase: 'ready' } as const;
    stranger.open(CHANNELS.control).post(envelopeOf(owner.tab, { type: 'owner', owner }));
    await tabs.world.pass(20);
    expect(first.ownerships[0]?.signal.aborted).toBe(true);
    expect(engine.disposed).toBe(1);
  });

  it('is nobody any more once the store says that another engine owns the device', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const { engine } = first;
    first.ownerships[0]?.fenced();
    await tabs.world.settle();
    await tabs.world.pass(20);
    expect(engine.disposed).toBe(1);
    expect(first.ownerships.map(({ owner }) => owner.epoch)).toEqual([1, 2]);
  });
});

describe('an engine that cannot be created', () => {
  it('is tried again, later each time, and by the other tabs in between', async () => {
    const tabs = new Tabs();
    const failing = (): Promise<RunningEngine> => Promise.reject(new Error('no memory'));
    const first = await tabs.open({ boot: failing });
    await tabs.world.pass(60_000);
    const waits = first.said.flatMap((message) =>
      message.type === 'boot-failed' ? [message.retryInMs] : [],
    );
    expect(waits.slice(0, 7)).toEqual(
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].slice(0, waits.length),
    );
    expect(waits.length).toBeGreaterThanOrEqual(5);
    const second = await tabs.open();
    expect(tabs.holder).toBe(second.name);
    expect(second.codes).toContain('engine-created');
  });

  it('does not keep its tab from trying at once after a success', async () => {
    const tabs = new Tabs();
    let failures = 2;
    const first = await tabs.open({
      boot: async () => {
        if ((failures -= 1) >= 0) throw new Error('busy');
        return new TestEngine();
      },
    });
    await tabs.world.pass(5_000);
    expect(first.codes.filter((code) => code === 'engine-boot-failed')).toHaveLength(2);
    expect(first.codes.at(-1)).toBe('engine-created');
  });

  it('is thrown away when it comes after its tab has lost the lock', async () => {
    const tabs = new Tabs();
    const slow = deferred<RunningEngine>();
    const first = await tabs.open({ boot: () => slow.promise });
    void tabs.world
      .openTab('thief' as TabId)
      .startThread('engine')
      .locks.request(LOCKS.engine, { steal: true }, () => new Promise(() => undefined));
    await tabs.world.pass(20);
    const late = new TestEngine();
    slow.resolve(late);
    await tabs.world.settle();
    expect(late.disposed).toBe(1);
    expect(first.codes).not.toContain('engine-created');
    expect(first.owns).toEqual([true, false]);
  });
});

describe('an owner that is stuck', () => {
  const stuckOwner = async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    first.sim.freeze();
    return { tabs, first, second };
  };

  it('is robbed by a visible tab that needs the engine, after 15 s and not before', async () => {
    const { tabs, first, second } = await stuckOwner();
    second.candidate.page(EAGER);
    await tabs.world.pass(13_000);
    expect(tabs.holder).toBe(first.name);
    await tabs.world.pass(8_000);
    expect(tabs.holder).toBe(second.name);
    expect(second.codes).toEqual(['engine-steal', 'engine-takeover', 'engine-creating', 'engine-created']);
  });

  it('is robbed once, however many tabs a person sees wait for it', async () => {
    const { tabs, second } = await stuckOwner();
    const third = await tabs.open();
    for (const tab of [second, third]) {
      tab.tell({ visible: true });
      tab.candidate.page(EAGER);
    }
    await tabs.world.pass(30_000);
    expect(tabs.holder).toBe(second.name);
    expect([...second.codes, ...third.codes].filter((code) => code === 'engine-steal')).toHaveLength(1);
  });

  it('stops when it wakes up robbed, and what it held is void', async () => {
    const { tabs, first, second } = await stuckOwner();
    second.candidate.page(EAGER);
    await tabs.world.pass(21_000);
    first.sim.thaw();
    await tabs.world.pass(100);
    expect(first.ownerships[0]?.signal.aborted).toBe(true);
    expect(first.engine.disposed).toBe(1);
    expect(first.codes.at(-1)).toBe('engine-left');
    expect(tabs.holder).toBe(second.name);
  });

  it.each<[string, PageState]>([
    ['hidden', { ...EAGER, visible: false }],
    ['without work', { ...EAGER, working: false }],
  ])('is left alone by a tab that is %s', async (_name, state) => {
    const { tabs, first, second } = await stuckOwner();
    second.candidate.page(state);
    await tabs.world.pass(120_000);
    expect(tabs.holder).toBe(first.name);
  });

  it('is left alone by a tab whose own messages do not reach the channel', async () => {
    const { tabs, first, second } = await stuckOwner();
    second.loses = () => true;
    second.candidate.page(EAGER);
    await tabs.world.pass(120_000);
    expect(tabs.holder).toBe(first.name);
  });

  it('is given the time it said it is busy', async () => {
    const { tabs, first, second } = await stuckOwner();
    const owner = first.ownerships[0]!.owner;
    const busyUntilMs = tabs.world.nowMs + 30_000;
    first.sim.thaw();
    first.thread.open(CHANNELS.control).post(envelopeOf(first.id, { type: 'alive', owner, busyUntilMs }));
    await tabs.world.pass(20);
    first.sim.freeze();
    second.candidate.page(EAGER);
    await tabs.world.pass(40_000);
    expect(tabs.holder).toBe(first.name);
    await tabs.world.pass(10_000);
    expect(tabs.holder).toBe(second.name);
  });

  it('is not robbed when it still answers', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    // Its signs of life are lost on the way, its answers are not.
    first.loses = ({ type }) => type === 'alive';
    second.candidate.page(EAGER);
    await tabs.world.pass(300_000);
    expect(tabs.holder).toBe(first.name);
  });

  it('is robbed three times in all, at least 30 s apart; then a person is told, once', async () => {
    const tabs = new Tabs();
    const second = await tabs.open({ boot: () => Promise.reject(new Error('no memory')) });
    second.candidate.page(EAGER);
    // Somebody outside takes the lock again and again and never says a word.
    const stranger = tabs.world.openTab('stranger' as TabId).startThread('engine');
    const takeAgain = (): void => {
      void stranger.locks
        .request(LOCKS.engine, { steal: true }, () => new Promise(() => undefined))
        .catch(() => stranger.after(1_000, takeAgain));
    };
    const hold = (): void => {
      if (tabs.holder === null) takeAgain();
      stranger.after(1_000, hold);
    };
    takeAgain();
    hold();
    await tabs.world.pass(300_000);
    expect(second.codes.filter((code) => code === 'engine-steal')).toHaveLength(3);
    expect(second.codes.filter((code) => code === 'engine-lost')).toHaveLength(1);
  });
});

describe('an idle engine is handed over', () => {
  const RECORDING = ['session' as SessionId];

  it('to a tab that begins to record, from a hidden page', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    await tabs.open();
    const third = await tabs.open();
    first.candidate.page(IDLE);
    await tabs.world.pass(31_000);
    third.tell({ recording: RECORDING });
    await tabs.world.pass(100);
    expect([first.engine.drained, first.engine.disposed > 0]).toEqual([true, true]);
    expect(tabs.holder).toBe(third.name);
    expect(third.codes).toEqual(['engine-takeover', 'engine-creating', 'engine-created']);
    expect(first.codes).toContain('engine-handover');
  });

  it('to a newer build, whether its own page is seen or not', async () => {
    const tabs = new Tabs();
    const first = await tabs.open({ build: 1 });
    const second = await tabs.open({ build: 2 });
    first.candidate.page({ ...IDLE, visible: true });
    second.tell({ build: 2 });
    await tabs.world.pass(40_000);
    expect(tabs.holder).toBe(second.name);
  });

  it.each<[string, (first: TestTab, second: TestTab) => void]>([
    ['while a session is open', (first) => (first.engine.idle = false)],
    ['while its page is seen', (first) => first.candidate.page({ ...IDLE, visible: true })],
    ['while its own tab records', (first) => first.candidate.page({ ...IDLE, recording: true })],
    ['to an older build', (_first, second) => second.tell({ build: 0, recording: RECORDING })],
  ])('but not %s', async (_name, arrange) => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    second.tell({ recording: RECORDING });
    arrange(first, second);
    await tabs.world.pass(120_000);
    expect(tabs.holder).toBe(first.name);
  });

  it('but not in its first 30 s', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    second.tell({ recording: RECORDING });
    await tabs.world.pass(29_000);
    expect(tabs.holder).toBe(first.name);
    await tabs.world.pass(4_000);
    expect(tabs.holder).toBe(second.name);
  });

  it('to the next in line when the tab it is meant for is dead', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    const third = await tabs.open();
    second.tell({ recording: RECORDING });
    await tabs.world.pass(10);
    second.sim.die();
    await tabs.world.pass(60_000);
    expect([first.name, third.name]).toContain(tabs.holder);
    expect(first.codes.filter((code) => code === 'engine-handover')).toHaveLength(1);
    expect(first.engines.length + third.engines.length).toBe(2);
  });

  it('and not taken by a tab that wakes up after somebody else has taken it', async () => {
    const tabs = new Tabs();
    const first = await tabs.open();
    const second = await tabs.open();
    const third = await tabs.open();
    second.tell({ recording: RECORDING });
    await tabs.world.pass(10);
    second.sim.freeze();
    third.candidate.page(EAGER);
    await tabs.world.pass(60_000);
    // The one who was handed it, and was next in line, sleeps.
    const holder = tabs.holder;
    expect(holder).toBe(third.name);
    second.sim.thaw();
    await tabs.world.pass(1_000);
    expect(tabs.holder).toBe(holder);
    expect(first.engines.length + third.engines.length).toBe(2);
  });
});
