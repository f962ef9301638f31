import { afterEach, expect, test } from 'vitest';
import type { FaultKind, RecognitionSettings } from '@core/protocol/engine.ts';
import { sampleIndex, type SourceId } from '@core/protocol/ids.ts';
import { isKnownAnswer } from '@core/text/known-answer.ts';
import { textOf } from '@core/transcript/types.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import { openDatabase } from '@src/storage/database.ts';
import { deleteMeeting, loadMeeting } from '@src/storage/meetings.ts';
import { knownAnswer, TestEngine } from '../support/engine.ts';
import { meeting } from '../support/segments.ts';
import { utteranceMessages } from '../support/speech-feed.ts';

const MICROPHONE = 'microphone' as SourceId;
const ENGLISH: RecognitionSettings = {
  recognizer: 'moonshine-tiny',
  languages: ['en'],
  chineseScript: 'simplified',
};

let engine: TestEngine;
afterEach(() => engine.dispose());

const loads = async (): Promise<readonly string[]> =>
  (await engine.call('health', []))
    .filter(({ code }) => code === 'model-loaded')
    .map(({ message }) => message);

test('fifty callers share one load, and a later page needs no self-test', async () => {
  engine = new TestEngine();
  const statuses = await Promise.all(
    Array.from({ length: 50 }, () => engine.call('prepare', ['moonshine-tiny'])),
  );
  expect(new Set(statuses.map(({ state }) => state))).toEqual(new Set(['ready']));
  const ran = statuses[0]!.selfTest.filter(({ outcome }) => outcome !== 'skipped');
  expect(ran.map(({ outcome }) => outcome)).toEqual(ran.map(() => 'right'));
  // One load for each candidate that was tried, each with the model's two graphs and no more.
  expect(await loads()).toHaveLength(ran.length);
  for (const line of await loads()) expect(line).toContain(': 2 sessions');
  const fastest = Math.min(...ran.map(({ decodeMs }) => decodeMs ?? Infinity));
  expect(ran.find(({ decodeMs }) => decodeMs === fastest)?.rung).toBe(statuses[0]!.rung);
  await engine.call('prepare', ['moonshine-tiny']);
  expect(await loads()).toHaveLength(ran.length);
  engine.dispose();

  engine = new TestEngine();
  const again = await Promise.all(
    Array.from({ length: 50 }, () => engine.call('prepare', ['moonshine-tiny'])),
  );
  expect(again[49]).toMatchObject({
    state: 'ready',
    rung: statuses[0]!.rung,
    selfTest: statuses[0]!.selfTest,
  });
  expect(await loads()).toHaveLength(1);
  const { loads: made, modelBytes } = await engine.call('report', []);
  expect(made.map(({ model }) => model)).toEqual(['moonshine-tiny']);
  // Its two graphs, and nothing counted twice.
  expect(modelBytes).toBeGreaterThan(20e6);
  expect(modelBytes).toBeLessThan(40e6);
  expect(engine.events.some((event) => event.type === 'model' && event.status.state === 'testing')).toBe(
    false,
  );
});

test('speech becomes partials that keep their committed words, then one final, decoded once', async () => {
  engine = new TestEngine();
  await engine.call('prepare', ['moonshine-tiny']);
  const session = await engine.open(ENGLISH, { sourceId: MICROPHONE, kind: 'microphone', offsetMs: 500 });
  const database = await openDatabase();
  await database.put('sessions', meeting({ id: session.id, durationMs: 0 }));
  const clip = await knownAnswer();
  const partials = () => engine.events.filter((event) => event.type === 'partial');
  const messages = utteranceMessages(MICROPHONE, 16_000, clip);
  const [pause, end] = messages.slice(-2);
  const shows = (part: 'committed' | 'tentative') => (): true | undefined =>
    partials().some(({ segment }) => isKnownAnswer(textOf(segment[part]))) ? true : undefined;
  session.send(messages.slice(0, -1));
  await engine.first(shows('tentative'));
  // The speaker goes on and pauses again: the second reading agrees with the first.
  session.send([{ type: 'speech-resume', sourceId: MICROPHONE, utterance: sampleIndex(16_000) }, pause!]);
  await engine.first(shows('committed'));
  session.send([end!]);

  const outcome = await engine.outcome(`${MICROPHONE}-16000`);
  if (outcome.type !== 'segment') throw new Error(`dropped: ${outcome.reason}`);
  expect(isKnownAnswer(textOf(outcome.segment.committed))).toBe(true);
  expect(outcome.segment).toMatchObject({ state: 'final', tentative: [], startMs: 1500, language: 'en' });
  const spoken = outcome.segment.committed.map(({ text }) => text);
  for (const { segment } of partials()) {
    const committed = segment.committed.map(({ text }) => text);
    expect(committed).toEqual(spoken.slice(0, committed.length));
    expect(segment.rev).toBeLessThan(outcome.segment.rev);
  }

  const captured = sampleIndex(16_000 + clip.length + 32_000);
  session.send([{ type: 'source-clock', sourceId: MICROPHONE, captured, ended: true }]);
  const statistics = await engine.call('closeSession', [session.id]);
  expect(statistics).toMatchObject({ finalCalls: 1, utterances: 1, dropped: 0 });
  expect(statistics.partialCalls).toBeGreaterThanOrEqual(1);
  expect(session.acknowledged.get(MICROPHONE)).toBe(captured);
  const stored = await loadMeeting(database, session.id);
  expect(stored?.segments).toEqual([outcome.segment]);
  expect(stored?.meeting.durationMs).toBe(outcome.segment.endMs);
  await deleteMeeting(database, session.id);
  database.close();
  const lags = engine.events.filter((event) => event.type === 'lag');
  expect(lags[0]?.lagMs).toBeGreaterThan(0);
  expect(lags.at(-1)?.lagMs).toBe(0);
});

test.each<FaultKind>(['exception', 'out-of-memory', 'gpu-lost', 'worker-gone'])(
  'after %s the utterance is decoded again one step down, and one line says so',
  async (fault) => {
    engine = new TestEngine();
    const before = await engine.call('prepare', ['moonshine-tiny']);
    expect(before.state).toBe('ready');
    const session = await engine.open(ENGLISH, { sourceId: MICROPHONE, kind: 'file', offsetMs: 0 });
    await engine.call('injectFault', ['moonshine-tiny', fault]);
    session.send(utteranceMessages(MICROPHONE, 0, await knownAnswer()));

    const outcome = await engine.outcome(`${MICROPHONE}-0`);
    if (outcome.type !== 'segment') throw new Error(`dropped: ${outcome.reason}`);
    expect(isKnownAnswer(textOf(outcome.segment.committed))).toBe(true);
    const warnings = await engine.first(() => {
      const lines = engine.events.flatMap((event) =>
        event.type === 'health' && event.entry.level !== 'info' ? [event.entry] : [],
      );
      return lines.length > 0 ? lines : undefined;
    });
    expect(warnings.map(({ level, scope }) => `${level} ${scope}`)).toEqual(['warning model']);
    const [after] = (await engine.call('models', [])).filter(({ model }) => model === 'moonshine-tiny');
    expect(after?.state).toBe('ready');
    const right = after!.selfTest.filter(({ outcome }) => outcome === 'right');
    if (right.length > 1) expect(after!.rung).not.toBe(before.rung);
  },
);

test('Whisper invents nothing in silence, tones and noise', async () => {
  engine = new TestEngine();
  const session = await engine.open(
    { ...ENGLISH, recognizer: 'whisper-tiny', languages: ['en', 'es', 'fr', 'zh'] },
    { sourceId: MICROPHONE, kind: 'file', offsetMs: 0 },
  );
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const sounds: ((n: number) => number)[] = [
    () => 0,
    () => 0.1 * (random() - 0.5),
    (n) => 0.2 * Math.sin(n * 0.17),
    (n) => 0.1 * Math.sin(n * 0.1) * Math.sin(n * 0.0004) + 0.02 * (random() - 0.5),
  ];
  sounds.forEach((sound, index) => {
    const samples = Float32Array.from({ length: 5 * 16_000 }, (_, n) => sound(n));
    session.send(utteranceMessages(MICROPHONE, index * 160_000, samples));
  });
  const outcomes = await Promise.all(
    sounds.map((_, index) => engine.outcome(`${MICROPHONE}-${index * 160_000}`)),
  );
  expect(
    outcomes.map((outcome) => (outcome.type === 'segment' ? textOf(outcome.segment.committed) : '')),
  ).toEqual(sounds.map(() => ''));
});

test('the page’s client: one model event stream, and calls that end when it is disposed of', async () => {
  engine = new TestEngine();
  const client = new EngineClient();
  const states: string[] = [];
  client.subscribe((event) => event.type === 'model' && states.push(event.status.state));
  expect((await client.prepare('moonshine-tiny')).state).toBe('ready');
  expect(states.at(-1)).toBe('ready');
  const pending = client.retest('moonshine-tiny');
  client.dispose();
  await expect(pending).rejects.toMatchObject({ code: 'engine-lost' });
});
