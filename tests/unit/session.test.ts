import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SpeechAcknowledged, SpeechMessage } from '@core/protocol/audio.ts';
import type { EngineEvent, RecognitionSettings, SourceDescription } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { sampleIndex, type SourceId } from '@core/protocol/ids.ts';
import { textOf, type Segment } from '@core/transcript/types.ts';
import type { StoredProgress } from '@src/storage/database.ts';
import { Decoder } from '@workers/engine/decoder.ts';
import type { RunningNote, SegmentCommit } from '@workers/engine/engine-store.ts';
import type { ModelRegistry } from '@workers/engine/model-registry.ts';
import type { RuntimePool } from '@workers/engine/runtime.ts';
import { Scheduler } from '@workers/engine/scheduler.ts';
import { Session } from '@workers/engine/session.ts';
import { SESSION } from '../support/segments.ts';
import { scriptedRegistry } from '../support/scripted-registry.ts';
import { reading, ScriptedInference, type PendingCall } from '../support/scripted-inference.ts';

const MIC = 'mic' as SourceId;
const TAB = 'tab' as SourceId;
const SECOND = 16_000;
const SETTINGS: RecognitionSettings = {
  recognizer: 'whisper-tiny',
  languages: ['en'],
  chineseScript: 'simplified',
};

let inference: ScriptedInference;
let registry: ModelRegistry;
let session: Session;
let decoder: Decoder;
let notes: RunningNote[];
let commits: { commit: SegmentCommit; stored: () => void }[];
/** Whether the disk takes what is to be stored at once. */
let storing: boolean;
let pool: RuntimePool;
let events: EngineEvent[];
let acknowledged: SpeechAcknowledged[];
let warnings: string[];
let nowMs: number;
let revs: number;

beforeEach(async () => {
  events = [];
  acknowledged = [];
  commits = [];
  notes = [];
  storing = true;
  nowMs = 0;
  revs = 0;
  inference = new ScriptedInference();
  ({ registry, pool, warnings } = scriptedRegistry(inference, ({ state }) => {
    if (state === 'ready') session.retryHeld();
  }));
  decoder = new Decoder(registry, new Scheduler());
  session = begin();
  await registry.prepare('whisper-tiny');
});

const SOURCES: readonly SourceDescription[] = [
  { sourceId: MIC, kind: 'microphone', offsetMs: 0 },
  { sourceId: TAB, kind: 'microphone', offsetMs: 10_000 },
];

const begin = (
  progress: readonly StoredProgress[] = [],
  sources = SOURCES,
  running: readonly Segment[] = [],
): Session =>
  new Session(
    { sessionId: SESSION, settings: SETTINGS, sources },
    { progress, running },
    {
      decode: (request) => decoder.decode(request),
      now: () => nowMs,
      nextRev: () => (revs += 1),
      publish: (event) => events.push(event),
      acknowledge: (message) => acknowledged.push(message),
      note: (note) => notes.push(note),
      commit: (commit, stored) => {
        commits.push({ commit, stored });
        if (storing) stored();
      },
      warn: (code) => warnings.push(code),
    },
  );

afterEach(() => {
  inference.closed = true;
  return pool.shutDown();
});

/** Lets promises that are settled already be acted on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Details<T extends SpeechMessage['type']> = Omit<
  Extract<SpeechMessage, { type: T }>,
  'type' | 'sourceId' | 'utterance'
>;
const send = <T extends SpeechMessage['type']>(
  type: T,
  details: Details<T>,
  { sourceId = MIC, utterance = 0 } = {},
): void =>
  session.receive({
    type,
    sourceId,
    utterance: sampleIndex(utterance),
    ...details,
  } as unknown as SpeechMessage);

const at = (seconds: number) => sampleIndex(seconds * SECOND);

/** Speech of the utterance from one second to another; sample n has the value 0.1 + n / 1e6. */
const speak = (fromS: number, toS: number, where: { sourceId?: SourceId; utterance?: number } = {}): void => {
  const start = (where.utterance ?? 0) + Math.round(fromS * SECOND);
  const samples = Float32Array.from(
    { length: Math.round((toS - fromS) * SECOND) },
    (_, n) => 0.1 + (start + n) / 1e6,
  );
  send('speech-audio', { start: sampleIndex(start), samples }, where);
};

/** Answers the call and waits for what comes of it: text, a dropped segment, or another call. */
const answer = async (call: PendingCall, text: string, change = {}): Promise<void> => {
  const results = (): number => events.filter(({ type }) => type !== 'lag').length + inference.calls.length;
  const before = results();
  call.resolve(reading(text, change));
  while (results() === before) await settle();
};

const segments = (type: 'partial' | 'segment') =>
  events.flatMap((event) => (event.type === type ? [event.segment] : []));
const shown = (): string[] =>
  segments('partial').map(({ committed, tentative }) => `${textOf(committed)} | ${textOf(tentative)}`);
const finals = (): string[] => segments('segment').map(({ committed }) => textOf(committed));

describe('an utterance', () => {
  test('is read again as it goes on; words that two readings agree on are committed', async () => {
    send('speech-start', {});
    speak(0, 1);
    await answer(await inference.nextCall(), 'and so my');
    speak(1, 2.5);
    const second = await inference.nextCall();
    expect(second.audio).toHaveLength(2.5 * SECOND);
    await answer(second, 'And so my fellow');
    expect(shown()).toEqual([' | and so my', 'And so my | fellow']);
    expect(segments('partial')[1]).toMatchObject({ state: 'committed', startMs: 0, endMs: 2500 });
  });

  test('what is certain of it is noted for the next engine, whose readings cannot change it', async () => {
    send('speech-start', {});
    speak(0, 1);
    await answer(await inference.nextCall(), 'and so my');
    expect(notes).toEqual([]);
    speak(1, 2.5);
    await answer(await inference.nextCall(), 'And so my fellow');
    expect(notes.map(({ segment }) => segment && [textOf(segment.committed), segment.tentative])).toEqual([
      ['And so my', []],
    ]);

    session.halt(new UnisonoError('engine-changed', 'gone'));
    session = begin([], SOURCES, [notes[0]!.segment!]);
    send('speech-start', {});
    speak(0, 3);
    await answer(await inference.nextCall(), 'And sew my fellow Americans');
    expect(shown().at(-1)).toBe('And so my | fellow Americans');
    send('speech-end', { end: at(3), reason: 'silence' });
    await answer(await inference.nextCall(), 'And sew my fellow Americans');
    expect(finals()).toEqual(['And so my fellow Americans']);
  });

  test('a note of what was no speech after all is taken back', async () => {
    send('speech-start', {});
    speak(0, 1);
    await answer(await inference.nextCall(), 'and so my');
    speak(1, 2.5);
    await answer(await inference.nextCall(), 'And so my fellow');
    send('speech-cancel', {});
    expect(notes.map(({ segment }) => segment === null)).toEqual([false, true]);
  });

  test('a slow device reads it less often: after twice what the last reading cost', async () => {
    send('speech-start', {});
    speak(0, 1);
    const first = await inference.nextCall();
    nowMs = 2000;
    await answer(first, 'and so');
    speak(1, 4.9);
    await settle();
    expect(inference.calls).toHaveLength(0);
    speak(4.9, 5.1);
    expect((await inference.nextCall()).audio).toHaveLength(5.1 * SECOND);
  });

  test('is decoded once at its end: what was read in the pause is the final', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-pause', { at: at(0.7) });
    const call = await inference.nextCall();
    speak(0.9, 1.2);
    await answer(call, 'ask not');
    expect(finals()).toEqual([]);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    expect(finals()).toEqual(['ask not']);
    expect(segments('segment')[0]).toMatchObject({ state: 'final', tentative: [], startMs: 0, endMs: 900 });
    expect(session.statistics).toEqual({
      partialCalls: 0,
      finalCalls: 1,
      decodedAudioS: 0.9,
      utterances: 1,
      dropped: 0,
    });
  });

  test('the end may come while the pause is still being read', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-pause', { at: at(0.7) });
    const call = await inference.nextCall();
    send('speech-end', { end: at(0.9), reason: 'silence' });
    await answer(call, 'ask not');
    expect(finals()).toEqual(['ask not']);
    expect(session.statistics.finalCalls).toBe(1);
  });

  test('a pause stops a partial that has not heard everything', async () => {
    send('speech-start', {});
    speak(0, 1);
    const partial = await inference.nextCall();
    speak(1, 2);
    send('speech-pause', { at: at(1.8) });
    await settle();
    expect(partial.cancelled).toBe(true);
    expect((await inference.nextCall()).audio).toHaveLength(2 * SECOND);
  });

  test('when speech goes on after a pause, what was read of it is a partial and the end is decoded anew', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-pause', { at: at(0.7) });
    await answer(await inference.nextCall(), 'ask not');
    send('speech-resume', {});
    expect(session.statistics).toMatchObject({ partialCalls: 1, finalCalls: 0 });
    speak(0.9, 1.5);
    send('speech-end', { end: at(1.5), reason: 'source-end' });
    await answer(await inference.nextCall(), 'ask not what');
    expect(shown()).toEqual([' | ask not']);
    expect(finals()).toEqual(['ask not what']);
  });

  test('cut at its maximum length, it is decoded to the cut and no further', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.5), reason: 'max-length' });
    expect((await inference.nextCall()).audio).toHaveLength(0.5 * SECOND);
  });

  test('samples sent twice count once and lost ones are silence', async () => {
    send('speech-start', {});
    speak(0, 0.5);
    speak(0.25, 0.75);
    speak(0.875, 1);
    const { audio } = await inference.nextCall();
    expect(audio).toHaveLength(SECOND);
    expect(audio[0.6 * SECOND]).toBeCloseTo(0.1 + (0.6 * SECOND) / 1e6);
    expect(audio[0.8 * SECOND]).toBe(0);
  });

  test('word times are on the source’s clock and segment times on the session’s', async () => {
    const where = { sourceId: TAB, utterance: 3 * SECOND };
    send('speech-start', {}, where);
    speak(0, 1, where);
    send('speech-end', { end: at(4), reason: 'silence' }, where);
    await answer(await inference.nextCall(), 'ask not');
    expect(segments('segment')[0]).toMatchObject({ id: 'tab-48000', startMs: 13_000, endMs: 14_000 });
    expect(segments('segment')[0]?.committed[1]).toMatchObject({ startMs: 3100, endMs: 3190 });
  });

  test('every version of a segment has a higher revision', async () => {
    send('speech-start', {});
    speak(0, 1);
    await answer(await inference.nextCall(), 'and so my');
    speak(1, 2);
    await answer(await inference.nextCall(), 'and so my fellow');
    send('speech-end', { end: at(2), reason: 'silence' });
    await answer(await inference.nextCall(), 'and so my fellow Americans');
    const revisions = events.flatMap((event) => ('segment' in event ? [event.segment.rev] : []));
    expect(revisions).toEqual([1, 2, 3]);
  });
});

describe('no invented text', () => {
  const finish = async (reply: (call: PendingCall) => Promise<void>): Promise<void> => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    await reply(await inference.nextCall());
  };
  const droppedFor = (): string[] =>
    events.flatMap((event) => (event.type === 'segment-dropped' ? [event.reason] : []));

  test('what was read from noise is dropped', async () => {
    await finish((call) => answer(call, 'you', { averageLogProbability: -1.2, noSpeechProbability: 0.8 }));
    expect(droppedFor()).toEqual(['no-speech']);
    expect(session.statistics.dropped).toBe(1);
  });

  test('a loop is read once more at a temperature', async () => {
    await finish((call) => answer(call, 'go '.repeat(60).trim(), { truncated: true }));
    const second = await inference.nextCall();
    expect(second.options.temperature).toBeGreaterThan(0);
    await answer(second, 'go ahead please');
    expect(finals()).toEqual(['go ahead please']);
  });

  test('a loop that stays is cut', async () => {
    await finish((call) => answer(call, `well ${'go on '.repeat(30).trim()}`, { truncated: true }));
    await answer(await inference.nextCall(), `well ${'go on '.repeat(30).trim()}`, { truncated: true });
    expect(finals()).toEqual(['well go on']);
  });

  test('a text that is nothing but a loop is dropped', async () => {
    await finish((call) => answer(call, 'yeah '.repeat(60).trim(), { truncated: true }));
    await answer(await inference.nextCall(), 'yeah '.repeat(60).trim(), { truncated: true });
    expect(droppedFor()).toEqual(['repetition']);
  });

  test('an unlikely text needs a clearly better second reading', async () => {
    await finish((call) => answer(call, 'start the engine', { averageLogProbability: -1.1 }));
    await answer(await inference.nextCall(), 'start the engine', { averageLogProbability: -0.95 });
    expect(droppedFor()).toEqual(['low-confidence']);
  });

  test('committed words stay even if the final reading is refused', async () => {
    send('speech-start', {});
    speak(0, 1);
    await answer(await inference.nextCall(), 'ask not what');
    speak(1, 2);
    await answer(await inference.nextCall(), 'ask not what your');
    send('speech-end', { end: at(2), reason: 'silence' });
    await answer(await inference.nextCall(), 'you', { averageLogProbability: -2, noSpeechProbability: 0.9 });
    expect(finals()).toEqual(['ask not what']);
  });

  test('a cancelled utterance is taken back', async () => {
    send('speech-start', {});
    speak(0, 0.5);
    send('speech-cancel', {});
    expect(droppedFor()).toEqual(['cancelled']);
  });
});

describe('a session', () => {
  test('acknowledges what is final, oldest first, and silence but for what may become a pre-roll', async () => {
    const clock = (seconds: number, ended = false): void =>
      session.receive({ type: 'source-clock', sourceId: MIC, captured: at(seconds), ended });
    clock(1);
    clock(5);
    for (const utterance of [6 * SECOND, 8 * SECOND]) {
      send('speech-start', {}, { utterance });
      speak(0, 0.9, { utterance });
      send('speech-end', { end: sampleIndex(utterance + 0.9 * SECOND), reason: 'silence' }, { utterance });
    }
    clock(10);
    await answer(await inference.nextCall(), 'one');
    await answer(await inference.nextCall(), 'two');
    clock(12, true);
    expect(acknowledged.map(({ upTo }) => upTo / SECOND)).toEqual([3, 6, 8, 8.9, 12]);
  });

  test('tells how much speech is not yet text, at most twice a second, and when all is', async () => {
    send('speech-start', {});
    for (let tenth = 0; tenth < 9; tenth += 1) {
      nowMs = tenth * 100;
      speak(tenth / 10, (tenth + 1) / 10);
    }
    send('speech-end', { end: at(0.9), reason: 'silence' });
    await answer(await inference.nextCall(), 'one');
    const lags = events.flatMap((event) => (event.type === 'lag' ? [event.lagMs] : []));
    expect(lags).toEqual([0.1, 0.6, 0].map((seconds) => Math.round(seconds * 1000)));
  });

  test('a file has no partials and waits for live speech', async () => {
    const FILE = 'file' as SourceId;
    session.addSource({ sourceId: FILE, kind: 'file', offsetMs: 0 });
    const inFile = { sourceId: FILE };
    send('speech-start', {}, inFile);
    speak(0, 3, inFile);
    await settle();
    expect(inference.calls).toHaveLength(0);
    send('speech-end', { end: at(3), reason: 'silence' }, inFile);
    const file = await inference.nextCall();
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    await settle();
    expect(file.cancelled).toBe(true);
    await answer(await inference.nextCall(), 'live');
    await answer(await inference.nextCall(), 'from the file');
    expect(finals()).toEqual(['live', 'from the file']);
  });

  test('new settings hold for the utterances that follow', async () => {
    send('speech-start', {});
    speak(0, 0.5);
    session.update({ ...SETTINGS, languages: ['es', 'fr'] });
    send('speech-end', { end: at(0.5), reason: 'silence' });
    const first = await inference.nextCall();
    await answer(first, 'one');
    send('speech-start', {}, { utterance: SECOND });
    speak(0, 0.5, { utterance: SECOND });
    send('speech-end', { end: at(1.5), reason: 'silence' }, { utterance: SECOND });
    const second = await inference.nextCall();
    expect([first, second].map(({ options }) => options.languages)).toEqual([['en'], ['es', 'fr']]);
  });

  test('Chinese is shown in the script asked for', async () => {
    session.update({ ...SETTINGS, languages: ['zh'] });
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    (await inference.nextCall()).resolve(reading('房地產中介協會分析', { language: 'zh' }));
    await session.close();
    expect(finals()).toEqual(['房地产中介协会分析']);
  });

  test('after a fault the utterance is decoded again', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    (await inference.nextCall()).reject(new UnisonoError('model-failed', 'boom'));
    await answer(await inference.nextCall(), 'still here');
    expect(finals()).toEqual(['still here']);
    expect(warnings).toEqual(['model-failed']);
  });

  test('with no model left speech is kept, and decoded when one answers again', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    send('speech-end', { end: at(0.9), reason: 'silence' });
    for (let faults = 0; faults < 3; faults += 1) {
      (await inference.nextCall()).reject(new UnisonoError('model-failed', 'boom'));
      await settle();
    }
    expect(registry.status('whisper-tiny').state).toBe('failed');
    expect(warnings).toContain('utterances-held');
    expect(finals()).toEqual([]);
    expect(acknowledged).toEqual([]);
    await registry.prepare('whisper-tiny');
    await answer(await inference.nextCall(), 'kept');
    expect(finals()).toEqual(['kept']);
  });

  test('closing ends an utterance left open and waits for it', async () => {
    send('speech-start', {});
    speak(0, 0.9);
    let closed = false;
    const closing = session.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    await answer(await inference.nextCall(), 'the last words');
    await closing;
    expect(finals()).toEqual(['the last words']);
  });
});

describe('what was said just before', () => {
  const say = async (text: string, utterance: number, change = {}): Promise<PendingCall> => {
    send('speech-start', {}, { utterance });
    speak(0, 0.9, { utterance });
    send('speech-end', { end: sampleIndex(utterance + 0.9 * SECOND), reason: 'silence' }, { utterance });
    const call = await inference.nextCall();
    await answer(call, text, change);
    return call;
  };

  test('is given to the model with the next utterance, which would be misread on its own', async () => {
    expect((await say('And so my fellow Americans', 0)).options.context).toBeNull();
    const second = await say('ask not', at(2));
    expect(textOf(second.options.context?.words ?? [])).toBe('And so my fellow Americans');
    expect(second.options.context?.audio).toHaveLength(0.9 * SECOND);
    expect(finals()).toEqual(['And so my fellow Americans', 'ask not']);
    expect(session.statistics.decodedAudioS).toBeCloseTo(0.9 + 1.8);
  });

  test('is not given when several languages may be spoken: the next speaker may use another', async () => {
    session.update({ ...SETTINGS, languages: ['en', 'fr'] });
    await say('hello', 0, { languageProbability: 0.6 });
    expect((await say('bonjour', at(2), { language: 'fr' })).options.context).toBeNull();
  });

  test('is given once the language of a longer utterance is beyond doubt', async () => {
    session.update({ ...SETTINGS, languages: ['en', 'fr'] });
    await say('hello', 0);
    send('speech-start', {}, { utterance: at(2) });
    speak(0, 2.5, { utterance: at(2) });
    const first = await inference.nextCall();
    expect(first.options).toMatchObject({ languages: ['en', 'fr'], context: null });
    await answer(first, 'how are you', { languageProbability: 0.97 });
    speak(2.5, 4, { utterance: at(2) });
    const { options } = await inference.nextCall();
    expect(options.languages).toEqual(['en']);
    expect(textOf(options.context?.words ?? [])).toBe('hello');
  });
});
