import { afterEach, describe, expect, it, vi } from 'vitest';
import speechUrl from '../fixtures/audio/speech.flac?url';
import { CaptureSession } from '@src/capture/capture-session.ts';
import { openDatabase } from '@src/storage/database.ts';
import {
  segmentIdOf,
  sampleIndex,
  newSessionId,
  newTabId,
  type SampleIndex,
  type SessionId,
  type SourceId,
} from '@core/protocol/ids.ts';
import { deviceFrom, fakeEngine, keepEvents, MICROPHONE, startCapture } from '../support/capture.ts';
import { FakeProgress } from '../support/fake-engine.ts';
import type { SpeechInbox } from '../support/inbox.ts';
import { kept } from '../support/session-files.ts';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of open.splice(0).reverse()) await close();
});

async function plugIn(): Promise<void> {
  const device = await deviceFrom(speechUrl, { loop: true });
  open.push(() => device.close());
  vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockResolvedValue(device.stream);
}

async function recordOf(sessionId: SessionId) {
  const database = await openDatabase();
  try {
    return await database.get('recordings', sessionId);
  } finally {
    database.close();
  }
}

/** Samples of speech an engine was sent, each counted once. */
function covered(speech: SpeechInbox, sourceId: SourceId): Set<number> {
  const samples = new Set<number>();
  for (const audio of speech.of('speech-audio'))
    if (audio.sourceId === sourceId)
      for (let block = audio.start / 512; block < (audio.start + audio.samples.length) / 512; block++)
        samples.add(Math.floor(block));
  return samples;
}

/** Records in a worker that then dies in the middle of speech. */
async function crash(seconds: number) {
  const workers: Worker[] = [];
  const Real = Worker;
  vi.stubGlobal(
    'Worker',
    class extends Real {
      constructor(url: URL, options?: WorkerOptions) {
        super(url, options);
        workers.push(this);
      }
    },
  );
  const capture = await startCapture();
  vi.unstubAllGlobals();
  await plugIn();
  const { sourceId } = await capture.session.addSource(MICROPHONE);
  await capture.speech.first(
    (message) => message.type === 'source-clock' && message.captured >= seconds * 16_000,
  );
  await capture.speech.first(({ type }) => type === 'speech-audio', capture.speech.all.length);
  const captured = Math.max(
    ...capture.speech.of('speech-audio').map(({ start, samples }) => start + samples.length),
  );
  workers[0]?.terminate();
  return { ...capture, sourceId, captured };
}

async function recover(sessionId: SessionId, progress: FakeProgress, keepAudio = false) {
  const tab = newTabId();
  const { port, engine } = fakeEngine(tab, sessionId, progress);
  engine.begin();
  engine.keepsUp = true;
  const { events, handlers } = keepEvents();
  const recovered = await CaptureSession.recover({ sessionId, tab }, port, keepAudio, handlers);
  return { recovered, engine, events };
}

/** A recording that a tab left behind, and what it had captured. */
async function leaveBehind(source: SourceId, samples: Int16Array | null, acknowledged: SampleIndex) {
  const sessionId = newSessionId();
  const database = await openDatabase();
  await database.put('recordings', {
    sessionId,
    tab: newTabId(),
    settings: { recognizer: 'auto', languages: ['en'], chineseScript: 'simplified' },
    sources: [{ sourceId: source, kind: 'microphone', offsetMs: 0 }],
  });
  database.close();
  const root = await navigator.storage.getDirectory();
  const folder = await (
    await root.getDirectoryHandle('journal', { create: true })
  ).getDirectoryHandle(sessionId, { create: true });
  if (samples) {
    const file = await (await folder.getFileHandle(`${source}.pcm`, { create: true })).createWritable();
    await file.write(new Uint8Array(samples.buffer) as Uint8Array<ArrayBuffer>);
    await file.close();
  }
  const progress = new FakeProgress();
  if (acknowledged > 0) progress.acknowledged.set(source, acknowledged);
  return { sessionId, progress };
}

describe('a recording whose worker died in the middle of speech', () => {
  it('is read again from the last word stored, loses less than a second, and gives its space back', async () => {
    const { sessionId, sourceId, engine, captured } = await crash(3);
    const start = engine.speech.of('speech-start').at(-1)?.utterance ?? sampleIndex(0);
    engine.progress.acknowledged.set(sourceId, start);
    const database = await openDatabase();
    const stale = segmentIdOf(sourceId, sampleIndex(start + 512));
    const segment = {
      id: stale,
      sourceId,
      startMs: 0,
      endMs: 1,
      language: null,
      state: 'final',
      committed: [],
      tentative: [],
      rev: 1,
      averageLogProbability: null,
      noSpeechProbability: null,
    } as const;
    const stored = { ...segment, id: segmentIdOf(sourceId, sampleIndex(0)) };
    await database.put('segments', { sessionId, segment });
    if (start > 0) await database.put('segments', { sessionId, segment: stored });

    const { recovered, engine: next, events } = await recover(sessionId, engine.progress);
    expect(recovered).toBe(true);
    expect(next.configs[0]).toMatchObject({ sessionId, sources: [{ sourceId, kind: 'microphone' }] });
    expect(next.configs[0]?.sources[0]?.recoveredFrom).toBeDefined();
    const clock = next.speech.of('source-clock').at(-1);
    expect(clock).toMatchObject({ ended: true });
    expect(clock?.captured).toBeGreaterThan(captured - 16_000);
    const [before, after] = [covered(engine.speech, sourceId), covered(next.speech, sourceId)];
    const lost = [...before].filter((block) => block * 512 >= start && !after.has(block));
    expect(lost.length * 512).toBeLessThan(16_000);
    expect(events.all.filter(({ name }) => name === 'progress').length).toBeGreaterThan(1);
    expect(await database.get('segments', [sessionId, stale])).toBeUndefined();
    database.close();
    expect(await recordOf(sessionId)).toBeUndefined();
    expect(await kept('journal', sessionId)).toBeNull();
    expect(await kept('audio', sessionId)).toBeNull();
    expect((await recover(sessionId, engine.progress)).recovered).toBe(false);
  });

  it('is left alone while its worker lives', async () => {
    const { session, sessionId } = await startCapture();
    await plugIn();
    await session.addSource(MICROPHONE);
    expect((await recover(sessionId, new FakeProgress())).recovered).toBe(false);
    expect(await recordOf(sessionId)).toBeDefined();
    await session.stop();
    await session.finish(false);
    expect(await recordOf(sessionId)).toBeUndefined();
  });
});

describe('a recording of which little is left', () => {
  const source = 'microphone' as SourceId;

  it.each([
    ['no journal', null, 16_000],
    ['an empty journal', new Int16Array(0), 0],
    ['a journal shorter than what is stored', new Int16Array(8000), 16_000],
  ])('%s: is finished all the same', async (_, samples, acknowledged) => {
    const { sessionId, progress } = await leaveBehind(source, samples, sampleIndex(acknowledged));
    const { recovered, engine } = await recover(sessionId, progress);
    expect(recovered).toBe(true);
    expect(engine.speech.of('speech-start')).toEqual([]);
    expect(engine.speech.of('source-clock').at(-1)).toMatchObject({ captured: acknowledged, ended: true });
    expect(await recordOf(sessionId)).toBeUndefined();
    expect(await kept('journal', sessionId)).toBeNull();
  });

  it('without a record its journal is removed at the next start', async () => {
    const { sessionId } = await leaveBehind(source, new Int16Array(8000), sampleIndex(0));
    const other = await leaveBehind(source, new Int16Array(8000), sampleIndex(0));
    const database = await openDatabase();
    await database.delete('recordings', sessionId);
    database.close();
    const { session } = await startCapture();
    await vi.waitFor(async () => expect(await kept('journal', sessionId)).toBeNull());
    expect(await kept('journal', other.sessionId)).toEqual({ 'microphone.pcm': 16_000 });
    await session.stop();
    await session.finish(false);
  });
});
