import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EngineApi, EngineEvent } from '@core/protocol/engine.ts';
import { newTabId, type Epoch } from '@core/protocol/ids.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import type { EngineClient } from '@workers/engine/client.ts';
import { createEngine, type Engine } from '@workers/engine/engine.ts';
import { DatabaseStore } from '@workers/engine/engine-store.ts';
import { IDLE_LIMIT_MS } from '@workers/engine/model-memory.ts';
import { reading, ScriptedInference, translated } from '../support/scripted-inference.ts';
import { meeting, MICROPHONE, segment, SESSION } from '../support/segments.ts';
import { utteranceMessages } from '../support/speech-feed.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

const NAME = 'engine-translation-test';
const EPOCH = 1 as Epoch;
const RATE = 16_000;

let clock: VirtualClock;
let inference: ScriptedInference;
let database: UnisonoDatabase;
let events: EngineEvent[];
let engine: Engine;
let asked: string[];
/** Translations wait for it. */
let gate: Deferred<void> | null;

beforeEach(async () => {
  clock = new VirtualClock();
  events = [];
  asked = [];
  gate = null;
  inference = new ScriptedInference({
    translate: async (model, text) => {
      asked.push(`${model} ${text}`);
      await gate?.promise;
      return translated(`${model.slice(-2)}: ${text}`);
    },
  });
  database = await openDatabase(NAME);
  await database.put('engine', EPOCH, 'epoch');
  await database.put('sessions', meeting());
  engine = createEngine({
    tab: newTabId(),
    build: 1,
    epoch: EPOCH,
    store: new DatabaseStore(() => Promise.resolve(database), EPOCH),
    clock,
    spawn: inference.spawn,
    memory: { read: async () => undefined, write: async () => undefined, forget: async () => undefined },
    weights: (_, rung) => (rung === 'wasm' ? 'q8' : null),
    installed: async () => new Set(),
    device: async () => ({ webgpu: null, crossOriginIsolated: true, cores: 2, memoryGiB: 8 }),
    fingerprint: () => '',
    publish: (event) => events.push(event),
  });
});

afterEach(async () => {
  inference.closed = true;
  gate?.resolve();
  await engine.dispose();
  database.close();
  await deleteDB(NAME);
});

const attach = (): EngineApi & { readonly client: EngineClient } => {
  const client = { tab: newTabId(), address: 'page', acknowledged: () => undefined } as const;
  return { ...engine.apiFor(client), client };
};
const { settings } = meeting();
const open = (api: EngineApi) =>
  api.openSession({
    sessionId: SESSION,
    settings: { ...settings, recognizer: 'whisper-tiny' },
    sources: [{ sourceId: MICROPHONE, kind: 'microphone', offsetMs: 0 }],
  });
/** Too short for a partial. */
const say = (api: EngineApi, startS: number): void => {
  for (const message of utteranceMessages(MICROPHONE, startS * RATE, new Float32Array(0.7 * RATE).fill(0.1)))
    api.speech(SESSION, message);
};
const lines = (): string[] =>
  events.flatMap((event) =>
    event.type === 'translation' ? event.translation.units.map(({ translation }) => translation) : [],
  );
const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await done())) await settled();
};
/** What follows at once has followed: the database takes its turns, too. */
const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await settled();
};

test('two tabs read one meeting in two languages: each sentence is translated once for each, and kept', async () => {
  const [here, there, third] = [attach(), attach(), attach()];
  await open(here);
  await here.translate({ sessionId: SESSION, target: 'es', glossary: [] });
  await there.translate({ sessionId: SESSION, target: 'fr', glossary: [] });
  await third.translate({ sessionId: SESSION, target: 'es', glossary: [] });
  say(here, 0);
  (await inference.nextCall()).resolve(reading('Ask not.'));
  await until(async () => (await database.count('translations')) === 2);
  expect(asked).toEqual(['opus-mt-en-es Ask not.', 'opus-mt-en-fr Ask not.']);
  expect(lines()).toEqual(['es: Ask not.', 'fr: Ask not.']);
  const kept = await database.getAll('translations');
  expect(kept.map(({ target, complete }) => [target, complete])).toEqual([
    ['es', true],
    ['fr', true],
  ]);
  const models = (await here.models()).filter(({ state }) => state === 'ready').map(({ model }) => model);
  expect(models).toEqual(['whisper-tiny', 'opus-mt-en-es', 'opus-mt-en-fr']);
});

test('what was said before does not keep waiting what is said now: it stops for it and comes afterwards', async () => {
  await database.put('segments', { sessionId: SESSION, segment: segment(60_000, 'Said before.') });
  const here = attach();
  await open(here);
  await here.prepare('whisper-tiny');
  gate = deferred();
  await here.translate({ sessionId: SESSION, target: 'es', glossary: [] });
  await until(() => asked.length > 0);
  expect(asked).toEqual(['opus-mt-en-es Said before.']);
  say(here, 0);
  (await inference.nextCall()).resolve(reading('Ask not.'));
  await until(() => events.some(({ type }) => type === 'segment'));
  expect(lines()).toEqual([]);
  gate.resolve();
  await until(() => lines().length === 2);
  expect(lines().toSorted()).toEqual(['es: Ask not.', 'es: Said before.']);
});

test.each(['before', 'after'] as const)(
  'a sentence that an engine before this one heard half of is translated whole, read %s its session opens',
  async (order) => {
    const half = segment(0, 'Good morning. We begin with the', { state: 'committed' });
    await database.put('segments', { sessionId: SESSION, segment: half });
    await database.put('recordings', { sessionId: SESSION, tab: newTabId(), settings, sources: [] });
    const [capture, page] = [attach(), attach()];
    if (order === 'after') await open(capture);
    await page.translate({ sessionId: SESSION, target: 'es', glossary: [] });
    await quiet();
    if (order === 'before') await open(capture);
    say(capture, 0);
    (await inference.nextCall()).resolve(reading('Good morning. We begin with the budget.'));
    await until(() => events.some(({ type }) => type === 'segment'));
    await quiet();
    expect(asked).toEqual(['opus-mt-en-es Good morning.', 'opus-mt-en-es We begin with the budget.']);
    expect(lines().slice(-2)).toEqual(['es: Good morning.', 'es: We begin with the budget.']);
  },
);

test('a tab that closes takes its backlog with it', async () => {
  for (const startMs of [0, 3000, 6000])
    await database.put('segments', { sessionId: SESSION, segment: segment(startMs, `Said at ${startMs}.`) });
  const here = attach();
  gate = deferred();
  await here.translate({ sessionId: SESSION, target: 'es', glossary: [] });
  await until(() => asked.length > 0);
  engine.clientGone(here.client);
  gate.resolve();
  await quiet();
  expect(asked).toHaveLength(1);
  expect(lines()).toEqual([]);
});

test('its translator stays in memory for as long as the meeting lasts, and not much longer', async () => {
  const here = attach();
  await open(here);
  await here.translate({ sessionId: SESSION, target: 'es', glossary: [] });
  say(here, 0);
  (await inference.nextCall()).resolve(reading('Ask not.'));
  await until(() => lines().length > 0);
  const stateOf = async () =>
    (await here.models()).find(({ model }) => model === 'opus-mt-en-es')?.state ?? 'missing';
  await clock.pass(3 * IDLE_LIMIT_MS);
  expect(await stateOf()).toBe('ready');
  await here.closeSession(SESSION);
  await clock.pass(IDLE_LIMIT_MS);
  expect(await stateOf()).toBe('absent');
});

test.each(['drain', 'dispose'] as const)(
  'an engine that ends (%s) leaves what is not translated to the next one',
  async (end) => {
    const here = attach();
    await open(here);
    gate = deferred();
    await here.translate({ sessionId: SESSION, target: 'es', glossary: [] });
    say(here, 0);
    (await inference.nextCall()).resolve(reading('Ask not.'));
    await until(() => asked.length > 0);
    await engine[end]();
    gate.resolve();
    await quiet();
    expect(lines()).toEqual([]);
    expect(await database.count('translations')).toBe(0);
  },
);
