import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpeechMessage } from '../../src/core/protocol/audio.ts';
import type { CaptureEvents } from '../../src/core/protocol/capture.ts';
import type {
  RecognitionSettings,
  SessionConfig,
  SessionStatistics,
} from '../../src/core/protocol/engine.ts';
import {
  sampleIndex,
  type Epoch,
  type SessionId,
  type SourceId,
  type TabId,
} from '../../src/core/protocol/ids.ts';
import type { Owner } from '../../src/core/protocol/tabs.ts';
import { SpeechSender, type SpeechDescriptor } from '../../workers/capture/speech-sender.ts';
import { Uplink, type UplinkParts } from '../../workers/capture/uplink.ts';

const SESSION = 'session' as SessionId;
const SOURCES = ['microphone', 'tab'] as unknown as readonly [SourceId, SourceId];
const SETTINGS: RecognitionSettings = {
  recognizer: 'auto',
  languages: ['en'],
  chineseScript: 'simplified',
};
const FLIGHT_SAMPLES = 20 * 16_000;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Each sample says which it is, exactly. */
const samplesOf = (start: number, end: number) =>
  Float32Array.from({ length: end - start }, (_, i) => start + i);

interface Heard {
  received: number;
  end: number | null;
}

/** What engines have stored: outlives them. */
class Store {
  readonly utterances = new Map<string, { start: number; end: number; times: number }>();
  readonly acknowledged = new Map<SourceId, number>();
}

/** An engine as the contract has it: final in any order, acknowledged only when all before is stored. */
class FakeEngine {
  readonly sources = new Map<SourceId, { open: Map<number, Heard>; captured: number; ended: boolean }>();
  readonly #store: Store;
  settings: RecognitionSettings | null = null;
  closing: ((statistics: SessionStatistics) => void) | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  open(config: SessionConfig): void {
    this.settings = config.settings;
    for (const { sourceId } of config.sources) this.addSource(sourceId);
  }

  addSource(sourceId: SourceId): void {
    if (!this.sources.has(sourceId))
      this.sources.set(sourceId, { open: new Map(), captured: 0, ended: false });
  }

  receive(message: SpeechMessage): void {
    const source = this.sources.get(message.sourceId);
    if (!source) throw new Error(`speech of ${message.sourceId} came before the source`);
    if (message.type === 'source-clock') {
      source.captured = message.captured;
      source.ended = message.ended;
      return;
    }
    const { utterance } = message;
    const stored = utterance < (this.#store.acknowledged.get(message.sourceId) ?? 0);
    if (message.type === 'speech-start' && !source.open.has(utterance) && !stored)
      source.open.set(utterance, { received: utterance, end: null });
    const heard = source.open.get(utterance);
    if (!heard) return;
    if (message.type === 'speech-audio') {
      if (message.start > heard.received) throw new Error('a part of the utterance is missing');
      if (message.samples.some((sample, i) => sample !== message.start + i))
        throw new Error('these are other samples');
      heard.received = Math.max(heard.received, message.start + message.samples.length);
    }
    if (message.type === 'speech-end') {
      if (heard.received < message.end) throw new Error('the end came before the speech');
      heard.end = message.end;
    }
    if (message.type === 'speech-cancel') source.open.delete(utterance);
  }

  /** Makes one complete utterance final and stores it. */
  finalise(choice: number): void {
    const complete = [...this.sources].flatMap(([sourceId, { open }]) =>
      [...open].filter(([, { end }]) => end !== null).map(([start, { end }]) => ({ sourceId, start, end })),
    );
    const chosen = complete[choice % complete.length];
    if (!chosen) return;
    const id = `${chosen.sourceId}-${chosen.start}`;
    const times = (this.#store.utterances.get(id)?.times ?? 0) + 1;
    this.#store.utterances.set(id, { start: chosen.start, end: chosen.end ?? NaN, times });
    this.sources.get(chosen.sourceId)?.open.delete(chosen.start);
  }

  *acknowledge(): Generator<{ sourceId: SourceId; upTo: number }> {
    for (const [sourceId, { open, captured, ended }] of this.sources) {
      const upTo = open.size > 0 ? Math.min(...open.keys()) : ended ? captured : captured - 32_000;
      if (upTo <= (this.#store.acknowledged.get(sourceId) ?? 0)) continue;
      this.#store.acknowledged.set(sourceId, upTo);
      yield { sourceId, upTo };
    }
  }

  /** The largest amount of a source's speech that is here and not final, but for its oldest utterance. */
  get inFlight(): number {
    return Math.max(
      0,
      ...[...this.sources.values()].map(({ open }) =>
        [...open]
          .slice(1)
          .reduce((sum, [start, { received, end }]) => sum + Math.min(received, end ?? received) - start, 0),
      ),
    );
  }

  get done(): boolean {
    return [...this.sources.values()].every(({ open, ended }) => ended && open.size === 0);
  }
}

/** A connection whose messages arrive when the test says so, and are lost with their engine. */
class World {
  readonly store = new Store();
  readonly uplink: Uplink;
  readonly said: SpeechDescriptor[] = [];
  readonly backlogs: Parameters<CaptureEvents['backlog']>[0][] = [];
  readonly senders: readonly SpeechSender[];
  readonly warnings: string[] = [];
  engine: FakeEngine | null = null;
  refuses = false;
  largestFlight = 0;
  nowMs = 0;
  #epoch = 0;
  #wire: (() => void)[] = [];
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(sources: readonly SourceId[] = SOURCES) {
    this.uplink = new Uplink({
      sessionId: SESSION,
      settings: SETTINGS,
      connection: this.#connection(),
      clock: {
        now: () => this.nowMs,
        after: (delayMs, run) => {
          const timer = { atMs: this.nowMs + delayMs, run };
          this.#timers.push(timer);
          return () => (this.#timers = this.#timers.filter((other) => other !== timer));
        },
      },
      read: (_, start, end) => samplesOf(start, end),
      acknowledged: () => undefined,
      backlog: (backlog) => this.backlogs.push(backlog),
      warn: (code) => this.warnings.push(code),
    });
    this.senders = sources.map((sourceId) => {
      this.uplink.addSource({ sourceId, kind: 'microphone', offsetMs: 0 });
      return new SpeechSender(sourceId, (message) => {
        this.said.push(message);
        this.uplink.push(message);
      });
    });
  }

  #connection(): UplinkParts['connection'] {
    const owner = (): Owner | null =>
      this.engine && { epoch: this.#epoch as Epoch, tab: 'tab' as TabId, build: 1, phase: 'ready' };
    return {
      get owner() {
        return owner();
      },
      speech: (_, message) => {
        const engine = this.engine;
        if (!engine) return false;
        this.#wire.push(() => {
          engine.receive(message);
          this.largestFlight = Math.max(this.largestFlight, engine.inFlight);
        });
        return true;
      },
      call: ((method: string, args: readonly never[], { signal }: { signal: AbortSignal }) =>
        new Promise<unknown>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          const engine = this.engine;
          if (engine) this.#wire.push(() => this.#answer(engine, method, args, resolve, reject));
        })) as unknown as UplinkParts['connection']['call'],
    };
  }

  #answer(
    engine: FakeEngine,
    method: string,
    args: readonly unknown[],
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ): void {
    const config = args[0] as SessionConfig;
    const second = args[1] as { sourceId: SourceId } & RecognitionSettings;
    if (this.refuses) reject(new Error('not now'));
    else if (method === 'openSession') {
      engine.open(config);
      const acknowledged = [...this.store.acknowledged].map(([sourceId, upTo]) => ({ sourceId, upTo }));
      resolve({ acknowledged });
    } else if (method === 'addSource') {
      engine.addSource(second.sourceId);
      resolve(undefined);
    } else if (method === 'updateSession') resolve((engine.settings = second));
    else engine.closing = resolve;
  }

  /** The engine is gone with all that is on its way, and there is another, or none. */
  async change(successor: boolean): Promise<void> {
    this.#wire = [];
    if (this.engine) {
      this.engine = null;
      this.uplink.ownerChanged(false);
    }
    if (successor) {
      this.#epoch++;
      this.engine = new FakeEngine(this.store);
      this.uplink.ownerChanged(true);
    }
    await settle();
  }

  async deliver(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#wire.shift()?.();
      if (this.#wire.length === 0) await settle();
    }
    await settle();
  }

  async finalise(choice: number, acknowledge: boolean): Promise<void> {
    const { engine } = this;
    if (!engine) return;
    engine.finalise(choice);
    if (acknowledge)
      for (const { sourceId, upTo } of engine.acknowledge())
        this.uplink.acknowledged({ sourceId, upTo: sampleIndex(upTo) });
    if (engine.done && engine.closing && acknowledge)
      engine.closing({ partialCalls: 0, finalCalls: 7, decodedAudioS: 0, utterances: 0, dropped: 0 });
    await settle();
  }

  async wait(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { run } of this.#timers.filter(({ atMs }) => atMs <= this.nowMs)) run();
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    await settle();
  }

  speak(source: number, seconds: number): void {
    this.#feed(source, seconds, 0.9);
  }

  pause(source: number, seconds: number): void {
    this.#feed(source, seconds, 0);
  }

  #feed(source: number, seconds: number, probability: number): void {
    for (let i = 0; i < seconds * 31.25; i++) this.senders[source]?.push(512, probability);
  }

  end(): void {
    for (const sender of this.senders) sender.end();
  }

  /** With an engine that works, until the session is over. */
  async finish(): Promise<SessionStatistics> {
    const results: SessionStatistics[] = [];
    void this.uplink.finish().then((result) => results.push(result));
    for (let round = 0; round < 2000 && results.length === 0; round++) {
      await this.deliver(50);
      await this.finalise(0, true);
      await this.wait(500);
    }
    const [statistics] = results;
    if (!statistics) throw new Error('the session did not end');
    return statistics;
  }

  /** Every utterance that was said, by its id. */
  get expected(): Map<string, { start: number; end: number }> {
    return new Map(
      this.said.flatMap((message) =>
        message.type === 'speech-end'
          ? [[`${message.sourceId}-${message.utterance}`, { start: message.utterance, end: message.end }]]
          : [],
      ),
    );
  }

  get stored(): Map<string, { start: number; end: number }> {
    return new Map([...this.store.utterances].map(([id, { start, end }]) => [id, { start, end }]));
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('speak' as const),
      source: fc.nat(1),
      seconds: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('pause' as const),
      source: fc.nat(1),
      seconds: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 200 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('finalise' as const),
      choice: fc.nat(5),
      acknowledge: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('change' as const), successor: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refuse' as const), refuses: fc.boolean() }) },
);

describe('uplink', () => {
  it('brings every word to an engine that stores it, once by its id, whatever becomes of engines', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        for (const action of steps) {
          if (action.type === 'speak') world.speak(action.source, action.seconds);
          if (action.type === 'pause') world.pause(action.source, action.seconds);
          if (action.type === 'deliver') await world.deliver(action.count);
          if (action.type === 'finalise') await world.finalise(action.choice, action.acknowledge);
          if (action.type === 'change') await world.change(action.successor);
          if (action.type === 'wait') await world.wait(action.ms);
          if (action.type === 'refuse') world.refuses = action.refuses;
        }
        world.refuses = false;
        world.end();
        if (!world.engine) await world.change(true);
        await world.finish();
        expect(world.stored).toEqual(world.expected);
        expect(world.largestFlight).toBeLessThanOrEqual(FLIGHT_SAMPLES);
        expect(world.uplink.unacknowledged(SOURCES[0])).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('sends all of an utterance that is longer than what may be under way', async () => {
    const world = new World();
    await world.change(true);
    world.speak(0, 27);
    world.pause(0, 2);
    await world.deliver(1000);
    await world.finalise(0, true);
    expect(world.stored).toEqual(world.expected);
    expect(world.stored.size).toBe(1);
  });

  it('does not let a source that waits hold up another', async () => {
    const world = new World();
    await world.change(true);
    for (let i = 0; i < 6; i++) {
      world.speak(0, 10);
      world.pause(0, 2);
    }
    world.speak(1, 3);
    await world.deliver(5000);
    expect(world.engine?.sources.get(SOURCES[1])?.open.size).toBe(1);
    expect(world.engine?.sources.get(SOURCES[0])?.open.size).toBeLessThan(5);
  });

  it('tells another engine of a source that joined and of settings that changed while there was none', async () => {
    const world = new World([SOURCES[0]]);
    await world.change(true);
    await world.deliver(5);
    world.uplink.addSource({ sourceId: SOURCES[1], kind: 'tab', offsetMs: 5 });
    await world.deliver(5);
    expect([...(world.engine?.sources.keys() ?? [])]).toEqual([...SOURCES]);
    await world.change(false);
    const french = { ...SETTINGS, languages: ['fr'] } as const;
    world.uplink.updateSettings(french);
    await world.change(true);
    await world.deliver(5);
    expect(world.engine?.settings).toEqual(french);
    expect([...(world.engine?.sources.keys() ?? [])]).toEqual([...SOURCES]);
    world.uplink.updateSettings(SETTINGS);
    await world.deliver(5);
    expect(world.engine?.settings).toEqual(SETTINGS);
  });

  it('sends no speech before the engine has said what it has, and none that is stored', async () => {
    const world = new World();
    await world.change(true);
    world.speak(0, 2);
    world.pause(0, 4);
    world.speak(0, 2);
    world.pause(0, 4);
    await world.deliver(1000);
    await world.finalise(0, true);
    await world.change(true);
    await world.deliver(1000);
    const [second] = [...world.expected.values()].slice(1);
    expect([...(world.engine?.sources.get(SOURCES[0])?.open.keys() ?? [])]).toEqual([second?.start]);
  });

  it('asks again when the engine refuses, and says so', async () => {
    const world = new World();
    world.refuses = true;
    await world.change(true);
    world.speak(0, 2);
    await world.deliver(5);
    expect(world.warnings).toEqual(['engine-refused']);
    world.refuses = false;
    world.end();
    expect(await world.finish()).toMatchObject({ finalCalls: 7 });
    expect(world.stored.size).toBe(1);
  });

  it('ends at once when nothing was said and there is no engine, and waits for one when something was', async () => {
    const silent = new World();
    silent.pause(0, 3);
    silent.end();
    expect(await silent.uplink.finish()).toMatchObject({ utterances: 0 });

    const spoken = new World();
    spoken.speak(0, 3);
    spoken.end();
    let over = false;
    const finished = spoken.uplink.finish().then(() => (over = true));
    await spoken.wait(1e9);
    expect(over).toBe(false);
    await spoken.change(true);
    await spoken.finish();
    await finished;
    expect(spoken.stored).toEqual(spoken.expected);
  });

  it('does not take the word of an engine that closes what it never had', async () => {
    const world = new World();
    world.speak(0, 3);
    world.end();
    await world.change(true);
    const finished = world.uplink.finish();
    await world.deliver(1000);
    world.engine?.sources.clear();
    world.engine?.closing?.({ partialCalls: 0, finalCalls: 0, decodedAudioS: 0, utterances: 0, dropped: 0 });
    await world.finish();
    await finished;
    expect(world.stored).toEqual(world.expected);
  });

  it('tells how much waits, and for whom, at most once a second', async () => {
    const world = new World();
    world.speak(0, 10);
    expect(world.backlogs.at(-1)?.attached).toBe(false);
    expect(world.backlogs.length).toBeLessThan(3);
    await world.wait(1000);
    expect(world.backlogs.at(-1)?.speechMs).toBeGreaterThan(9500);
    world.end();
    await world.change(true);
    await world.finish();
    expect(world.backlogs).toContainEqual({ speechMs: 0, attached: true });
  });

  it('puts silence where the disk gives nothing back, and goes on', async () => {
    const said: SpeechMessage[] = [];
    const warnings: string[] = [];
    const uplink = new Uplink({
      sessionId: SESSION,
      settings: SETTINGS,
      connection: {
        owner: null,
        speech: (_, message) => said.push(message) > 0,
        call: (() => Promise.resolve({ acknowledged: [] })) as unknown as UplinkParts['connection']['call'],
      },
      clock: { now: () => 0, after: () => () => undefined },
      read: () => {
        throw new DOMException('gone', 'NotReadableError');
      },
      acknowledged: () => undefined,
      backlog: () => undefined,
      warn: (code) => warnings.push(code),
    });
    uplink.addSource({ sourceId: SOURCES[0], kind: 'microphone', offsetMs: 0 });
    uplink.ownerChanged(true);
    await settle();
    const sender = new SpeechSender(SOURCES[0], (message) => uplink.push(message));
    for (let i = 0; i < 20; i++) sender.push(512, 0.9);
    const audio = said.find((message) => message.type === 'speech-audio');
    expect(audio?.samples.every((sample) => sample === 0)).toBe(true);
    expect(warnings).toContain('journal-unreadable');
  });
});
