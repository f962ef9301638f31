import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SpeechAcknowledged } from '@core/protocol/audio.ts';
import type {
  EngineApi,
  EngineEvent,
  RecognitionSettings,
  SessionConfig,
  SourceDescription,
} from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import {
  sampleIndex,
  type Epoch,
  type SegmentId,
  type SessionId,
  type SourceId,
  type TabId,
} from '@core/protocol/ids.ts';
import { REVS_PER_EPOCH, textOf, type Language, type Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import type { StoredProgress } from '@src/storage/database.ts';
import type { EngineClient } from '@workers/engine/client.ts';
import { createEngine, type Engine } from '@workers/engine/engine.ts';
import type { EngineStore, RunningNote, SegmentCommit } from '@workers/engine/engine-store.ts';
import { reading, ScriptedInference } from '../support/scripted-inference.ts';
import { utteranceMessages } from '../support/speech-feed.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

const MIC = 'mic' as SourceId;
const FIRST = 'session-1' as SessionId;
const SECOND = 'session-2' as SessionId;
const HERE = 'tab-1' as TabId;
const THERE = 'tab-2' as TabId;
const EPOCH = 3 as Epoch;
const RATE = 16_000;
const SETTINGS: RecognitionSettings = {
  recognizer: 'whisper-tiny',
  languages: ['en'],
  chineseScript: 'simplified',
};
const SOURCE: SourceDescription = { sourceId: MIC, kind: 'microphone', offsetMs: 0 };

const config = (sessionId: SessionId, sources = [SOURCE]): SessionConfig => ({
  sessionId,
  settings: SETTINGS,
  sources,
});

/** A disk that may be full, slow, or another engine's. */
class TestStore implements EngineStore {
  readonly words = new Map<string, string>();
  readonly kept = new Map<SessionId, StoredProgress>();
  readonly stored = new Map<SegmentId, Segment>();
  readonly translated: SegmentTranslation[] = [];
  error: UnisonoError | null = null;
  slow: Deferred<void> | null = null;
  tried = 0;

  async progress(sessionId: SessionId): Promise<readonly StoredProgress[]> {
    const stored = this.kept.get(sessionId);
    return stored ? [stored] : [];
  }

  async isRecorded(): Promise<boolean> {
    return false;
  }

  async segments(): Promise<readonly Segment[]> {
    return [...this.stored.values()];
  }

  async translations(_: SessionId, language: Language): Promise<readonly SegmentTranslation[]> {
    return this.translated.filter(({ target }) => target === language);
  }

  async putTranslation(translation: SegmentTranslation): Promise<void> {
    if (this.error) throw this.error;
    this.translated.push(translation);
  }

  async note({ segmentId, segment }: RunningNote): Promise<void> {
    if (segment) this.stored.set(segmentId, segment);
    else this.stored.delete(segmentId);
  }

  async commit({ sessionId, segmentId, segment, progress }: SegmentCommit): Promise<void> {
    this.tried += 1;
    await this.slow?.promise;
    if (this.error) throw this.error;
    if (segment) this.stored.set(segmentId, segment);
    if (segment) this.words.set(`${sessionId} ${segmentId}`, textOf(segment.committed));
    else this.words.delete(`${sessionId} ${segmentId}`);
    this.kept.set(sessionId, progress);
  }
}

class TestClient implements EngineClient {
  readonly address = 'page';
  readonly acknowledgements: number[] = [];
  readonly tab: TabId;
  readonly api: EngineApi;

  constructor(tab: TabId) {
    this.tab = tab;
    this.api = engine.apiFor(this);
  }

  acknowledged(_sessionId: SessionId, { upTo }: SpeechAcknowledged): void {
    this.acknowledgements.push(upTo / RATE);
  }

  /** Too short for a partial. */
  say(startS: number, { sessionId = FIRST, untilEnd = true } = {}): void {
    const messages = utteranceMessages(MIC, startS * RATE, new Float32Array(0.7 * RATE).fill(0.1));
    for (const message of untilEnd ? messages : messages.slice(0, -2)) this.api.speech(sessionId, message);
  }
}

let clock: VirtualClock;
let inference: ScriptedInference;
let store: TestStore;
let events: EngineEvent[];
let engine: Engine;

const start = (epoch = EPOCH): Engine =>
  createEngine({
    tab: HERE,
    build: 1,
    epoch,
    store,
    clock,
    spawn: inference.spawn,
    memory: { read: async () => undefined, write: async () => undefined, forget: async () => undefined },
    weights: (_, rung) => (rung === 'wasm' ? 'q8' : null),
    installed: async () => new Set(),
    device: async () => ({ webgpu: null, crossOriginIsolated: true, cores: 2, memoryGiB: 8 }),
    fingerprint: () => '',
    publish: (event) => events.push(event),
  });

beforeEach(() => {
  clock = new VirtualClock();
  inference = new ScriptedInference();
  store = new TestStore();
  events = [];
  engine = start();
});

afterEach(async () => {
  inference.closed = true;
  await engine.dispose();
});

/** Answers the next call and waits for what comes of it. */
const read = async (text: string): Promise<void> => {
  await settled();
  const before = shown().length;
  (await inference.nextCall()).resolve(reading(text));
  while (shown().length === before) await settled();
  await settled();
};
const shown = (): string[] =>
  events.flatMap((event) => (event.type === 'segment' ? [textOf(event.segment.committed)] : []));
const sessionEvents = (): string[] =>
  events.flatMap((event) =>
    event.type === 'session' ? [`${event.sessionId} ${event.tab} ${event.state}`] : [],
  );
const full = new UnisonoError('storage-full', 'no room');

describe('what was said', () => {
  test('is shown at once and acknowledged when it is stored, not before', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    store.slow = deferred();
    client.say(0);
    await read('ask not');
    expect(shown()).toEqual(['ask not']);
    expect(client.acknowledgements).toEqual([]);
    store.slow.resolve();
    await settled();
    expect([...store.words]).toEqual([['session-1 mic-0', 'ask not']]);
    expect(client.acknowledgements).toHaveLength(1);
  });

  test('need not be sent again when it turned out to be noise', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    (await inference.nextCall()).resolve(
      reading('you', { averageLogProbability: -1.2, noSpeechProbability: 0.8 }),
    );
    await client.api.closeSession(FIRST);
    expect(store.words.size).toBe(0);
    expect(store.kept.get(FIRST)?.acknowledged).toBeGreaterThan(0.7 * RATE);
    expect(client.acknowledgements).toHaveLength(1);
  });

  test('waits while the disk is full, is tried again, and a person hears of both', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    store.error = full;
    client.say(0);
    await read('one');
    client.say(2);
    await read('two');
    expect(shown()).toEqual(['one', 'two']);
    expect(client.acknowledgements).toEqual([]);
    const tried = store.tried;
    await clock.pass(4999);
    expect(store.tried).toBe(tried);
    store.error = null;
    await clock.pass(1);
    expect([...store.words.values()]).toEqual(['one', 'two']);
    expect(client.acknowledgements).toHaveLength(2);
    const told = events.flatMap((event) => (event.type === 'storage' ? [event.error?.code ?? null] : []));
    expect(told).toEqual(['storage-full', null]);
  });

  test('closing waits for the disk, and closing twice says the same', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    store.error = full;
    client.say(0);
    let closed = false;
    const closing = client.api.closeSession(FIRST).then((statistics) => {
      closed = true;
      return statistics;
    });
    await read('one');
    expect(closed).toBe(false);
    store.error = null;
    await clock.pass(5000);
    expect(await closing).toMatchObject({ utterances: 1, finalCalls: 1 });
    expect(await client.api.closeSession(FIRST)).toEqual(await closing);
    expect(sessionEvents()).toEqual(['session-1 tab-1 open', 'session-1 tab-1 closed']);
  });

  test('has revisions of its epoch, higher with every version', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    await read('one');
    client.say(2);
    await read('two');
    const revs = events.flatMap((event) => ('segment' in event ? [event.segment.rev] : []));
    expect(revs[0]).toBeGreaterThan(EPOCH * REVS_PER_EPOCH);
    expect(revs).toEqual([...new Set(revs)].sort((a, b) => a - b));
  });
});

describe('the next engine', () => {
  test('goes on where the words are stored, and knows what was said right before', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    await read('and so my fellow Americans');
    await engine.dispose();

    engine = start((EPOCH + 1) as Epoch);
    const again = new TestClient(HERE);
    const { acknowledged } = await again.api.openSession(config(FIRST));
    expect(acknowledged).toEqual([{ sourceId: MIC, upTo: client.acknowledgements[0]! * RATE }]);
    again.say(0);
    again.say(2);
    const call = await inference.nextCall();
    expect(textOf(call.options.context?.words ?? [])).toBe('and so my fellow Americans');
    call.resolve(reading('ask not'));
    await again.api.closeSession(FIRST);
    expect(shown()).toEqual(['and so my fellow Americans', 'ask not']);
  });

  test('finds nothing of a fenced engine that goes on: not a word, event or acknowledgement', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    store.error = new UnisonoError('engine-changed', 'another owns the device');
    client.say(0);
    await read('stale');
    const said = events.length;
    client.say(2);
    await expect(client.api.closeSession(FIRST)).rejects.toMatchObject({ code: 'engine-changed' });
    await clock.pass(60_000);
    expect(events).toHaveLength(said);
    expect(client.acknowledgements).toEqual([]);
    expect(store.words.size).toBe(0);
  });

  test('hears nothing more from one that is disposed of, whose calls all end', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    store.error = full;
    client.say(0);
    await read('one');
    client.say(2, { untilEnd: false });
    const closing = client.api.closeSession(FIRST);
    const preparing = client.api.prepare('whisper-base');
    const said = events.length;
    const disposed = engine.dispose();
    await expect(closing).rejects.toMatchObject({ code: 'engine-changed' });
    await expect(preparing).rejects.toMatchObject({ code: 'engine-changed' });
    await disposed;
    store.error = null;
    await clock.pass(60_000);
    expect(events).toHaveLength(said);
    expect(store.words.size).toBe(0);
    expect(client.acknowledgements).toEqual([]);
    expect(inference.alive.size).toBe(0);
    expect(inference.released).not.toEqual([]);
  });

  test('gets what a drain leaves: utterances that have ended are finished, no more is taken', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    await client.api.prepare('whisper-tiny');
    client.say(0);
    let drained = false;
    const draining = engine.drain().then(() => (drained = true));
    client.say(2);
    await settled();
    expect(drained).toBe(false);
    await read('the last words');
    await draining;
    expect([...store.words.values()]).toEqual(['the last words']);
    await expect(client.api.openSession(config(SECOND))).rejects.toMatchObject({ code: 'engine-changed' });
  });

  test('is not kept waiting by a drain that cannot finish', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    await inference.nextCall();
    const draining = engine.drain();
    await clock.pass(10_000);
    await expect(draining).resolves.toBeUndefined();
  });
});

describe('a client', () => {
  test('may open its session twice, as when the answer was lost, and no word is read twice', async () => {
    const client = new TestClient(HERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    const second: SourceDescription = { sourceId: 'tab' as SourceId, kind: 'tab', offsetMs: 500 };
    const { acknowledged } = await client.api.openSession(config(FIRST, [SOURCE, second]));
    expect(acknowledged.map(({ upTo }) => upTo)).toEqual([0, 0]);
    client.say(0);
    await read('once');
    client.say(0);
    expect(await client.api.closeSession(FIRST)).toMatchObject({ utterances: 1, finalCalls: 1 });
    expect(sessionEvents()).toHaveLength(2);
  });

  test('that takes a session over silences the one that had it', async () => {
    const old = new TestClient(HERE);
    await old.api.openSession(config(FIRST));
    old.say(0);
    await read('one');
    store.error = full;
    old.say(2);
    await read('two');
    old.say(4);
    const next = new TestClient(THERE);
    const { acknowledged } = await next.api.openSession(config(FIRST));
    expect(acknowledged).toEqual([{ sourceId: MIC, upTo: old.acknowledgements[0]! * RATE }]);
    for (const call of inference.calls) call.resolve(reading('too late'));
    store.error = null;
    const [said, heard] = [shown().length, old.acknowledgements.length];
    await clock.pass(60_000);
    old.say(6);
    await expect(old.api.closeSession(FIRST)).rejects.toMatchObject({ code: 'aborted' });
    expect(shown()).toHaveLength(said);
    expect(old.acknowledgements).toHaveLength(heard);
    expect([...store.words.values()]).toEqual(['one']);

    next.say(2);
    await read('two again');
    expect([...store.words.values()]).toEqual(['one', 'two again']);
    const revs = events.flatMap((event) => (event.type === 'segment' ? [event.segment.rev] : []));
    expect(revs.at(-1)).toBeGreaterThan(revs.at(-2)!);
    expect((await next.api.sessions())[0]).toEqual({ sessionId: FIRST, tab: THERE });
  });

  test('that dies leaves its words finished, but what broke off is read again from its journal', async () => {
    const client = new TestClient(HERE);
    const watching = new TestClient(THERE);
    await client.api.openSession(config(FIRST));
    client.say(0);
    await read('whole');
    client.say(2, { untilEnd: false });
    engine.clientGone(client);
    await read('broken');
    expect([...store.words.values()]).toEqual(['whole', 'broken']);
    expect(store.kept.get(FIRST)?.acknowledged).toBe(2 * RATE);
    expect(sessionEvents()).toEqual(['session-1 tab-1 open', 'session-1 tab-1 closed']);
    expect(engine.idle).toBe(true);
    expect((await watching.api.report()).clients).toBe(1);

    const source = { ...SOURCE, recoveredFrom: sampleIndex(2 * RATE) };
    await watching.api.openSession(config(FIRST, [source]));
    watching.say(2);
    await read('broken off no more');
    expect([...store.words.values()]).toEqual(['whole', 'broken off no more']);
    const [last] = events.flatMap((event) => (event.type === 'segment' ? [event.segment] : [])).slice(-1);
    expect(last?.recovered).toBe(true);
  });

  test('of one meeting does not keep another’s words waiting: their finals take turns', async () => {
    const [here, there] = [new TestClient(HERE), new TestClient(THERE)];
    await here.api.openSession(config(FIRST));
    await there.api.openSession(config(SECOND));
    await here.api.prepare('whisper-tiny');
    for (let second = 0; second < 12; second += 2) here.say(second);
    await settled();
    for (let second = 0; second < 4; second += 2) there.say(second, { sessionId: SECOND });
    const order: string[] = [];
    for (let calls = 0; calls < 5; calls += 1) {
      const before = shown().length;
      await read(`words ${calls}`);
      expect(shown()).toHaveLength(before + 1);
      order.push(events.findLast((event) => event.type === 'segment')!.sessionId);
    }
    expect(order).toEqual([FIRST, SECOND, FIRST, SECOND, FIRST]);
  });

  test('sees who owns the engine, what is loaded, and who is behind', async () => {
    const client = new TestClient(THERE);
    await client.api.openSession(config(FIRST));
    await client.api.prepare('whisper-tiny');
    expect(engine.idle).toBe(false);
    client.say(0, { untilEnd: false });
    expect(await client.api.report()).toEqual({
      epoch: EPOCH,
      tab: HERE,
      build: 1,
      sinceMs: 0,
      loads: [{ model: 'whisper-tiny', loadMs: 1, bytes: 40e6 }],
      modelBytes: 40e6,
      clients: 1,
      sessions: [{ sessionId: FIRST, tab: THERE, lagMs: expect.any(Number) as number }],
      queued: 0,
    });
    expect((await client.api.report()).sessions[0]?.lagMs).toBeGreaterThan(700);
  });
});
