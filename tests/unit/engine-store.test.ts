import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newTabId, sampleIndex, type Epoch } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import { openDatabase, type StoredProgress, type UnisonoDatabase } from '@src/storage/database.ts';
import { DatabaseStore, type SegmentCommit } from '@workers/engine/engine-store.ts';
import { meeting, MICROPHONE, segment, SESSION } from '../support/segments.ts';

const NAME = 'engine-store-test';
const MINE = 3 as Epoch;

let database: UnisonoDatabase;
let store: DatabaseStore;

beforeEach(async () => {
  database = await openDatabase(NAME);
  await database.put('engine', MINE, 'epoch');
  await database.put('sessions', meeting({ durationMs: 0 }));
  store = new DatabaseStore(() => Promise.resolve(database), MINE);
});

afterEach(async () => {
  database.close();
  await deleteDB(NAME);
});

const progress = (acknowledgedMs: number): StoredProgress => ({
  sessionId: SESSION,
  sourceId: MICROPHONE,
  acknowledged: sampleIndex(acknowledgedMs * 16),
  recent: { language: 'en', said: [] },
});
const commitOf = (spoken: Segment, found: Segment | null = spoken): SegmentCommit => ({
  sessionId: SESSION,
  segmentId: spoken.id,
  segment: found,
  progress: progress(spoken.endMs),
});
const stored = async () => (await database.getAll('segments')).map((record) => record.segment);

describe('the engine’s words', () => {
  test('are stored with how far they reach, and the meeting’s line in the list tells of them', async () => {
    await store.commit(commitOf(segment(5_000, 'ask not')));
    await store.commit(commitOf(segment(0, 'my fellow Americans')));
    expect(await stored()).toHaveLength(2);
    expect(await store.segments(SESSION)).toEqual(await stored());
    expect(await store.progress(SESSION)).toEqual([progress(2_000)]);
    expect(await database.get('sessions', SESSION)).toMatchObject({ durationMs: 7_000, preview: 'ask not' });
  });

  test('of another meeting do not tell how far this one is', async () => {
    await store.commit(commitOf(segment(0, 'one')));
    expect(await store.progress(`${SESSION}0` as typeof SESSION)).toEqual([]);
  });

  test('of an utterance under way are there for the next engine, until it is over', async () => {
    const running: Segment = { ...segment(0, 'And so my'), state: 'committed' };
    const { sessionId, segmentId } = commitOf(running);
    await store.note({ sessionId, segmentId, segment: running });
    expect(await store.segments(SESSION)).toEqual([running]);
    await store.commit(commitOf(segment(0, 'And so my fellow Americans')));
    expect(await store.segments(SESSION)).toEqual([segment(0, 'And so my fellow Americans')]);

    await database.put('engine', (MINE + 1) as Epoch, 'epoch');
    const late = store.note({ sessionId, segmentId, segment: running });
    await expect(late).rejects.toMatchObject({ code: 'engine-changed' });
    expect(await stored()).toEqual([segment(0, 'And so my fellow Americans')]);
  });

  test('that turned out to be none are taken back, and need not be sent again', async () => {
    const noise = segment(0, 'you');
    await store.commit(commitOf(noise));
    await store.commit(commitOf(noise, null));
    expect(await stored()).toEqual([]);
    expect(await store.progress(SESSION)).toEqual([progress(2_000)]);
  });

  test('of an engine that lost the device are not written, nor how far it came', async () => {
    await database.put('engine', (MINE + 1) as Epoch, 'epoch');
    await expect(store.commit(commitOf(segment(0, 'stale')))).rejects.toMatchObject({
      code: 'engine-changed',
    });
    expect(await stored()).toEqual([]);
    expect(await database.getAll('progress')).toEqual([]);
    expect(await database.get('sessions', SESSION)).toEqual(meeting({ durationMs: 0 }));
  });

  test('of a meeting that was deleted stay deleted', async () => {
    await database.delete('sessions', SESSION);
    await store.commit(commitOf(segment(0, 'gone')));
    expect(await stored()).toEqual([]);
    expect(await database.getAll('progress')).toEqual([]);
    expect(await database.getAll('sessions')).toEqual([]);
  });

  test('of a meeting whose own record could not be written are stored all the same', async () => {
    await database.delete('sessions', SESSION);
    await database.put('recordings', {
      sessionId: SESSION,
      tab: newTabId(),
      settings: meeting({}).settings,
      sources: [],
    });
    await store.commit(commitOf(segment(0, 'kept')));
    expect(await stored()).toHaveLength(1);
    expect(await database.getAll('sessions')).toEqual([]);
  });

  test('are stored whole or not at all when the disk is full, and later once there is room', async () => {
    const put = Reflect.get(IDBObjectStore.prototype, 'put') as (value: unknown) => IDBRequest<IDBValidKey>;
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      value: unknown,
    ) {
      if (this.name === 'sessions') throw new DOMException('no room', 'QuotaExceededError');
      return put.call(this, value);
    });
    await expect(store.commit(commitOf(segment(0, 'one')))).rejects.toMatchObject({ code: 'storage-full' });
    full.mockRestore();
    expect(await stored()).toEqual([]);
    expect(await database.getAll('progress')).toEqual([]);
    await store.commit(commitOf(segment(0, 'one')));
    expect(await stored()).toHaveLength(1);
  });

  test('are stored although the browser closed the database in between', async () => {
    const closed = await openDatabase(NAME);
    closed.close();
    const connections = [closed, database];
    const reopening = new DatabaseStore(() => Promise.resolve(connections.shift()!), MINE);
    const commit = commitOf(segment(0, 'one'));
    await expect(reopening.commit(commit)).rejects.toMatchObject({ code: 'storage-failed' });
    await reopening.commit(commit);
    expect(await stored()).toHaveLength(1);
  });
});

describe('a translation', () => {
  const spoken = segment(0, 'ask not');
  const translation = (change: Partial<SegmentTranslation> = {}): SegmentTranslation => ({
    sessionId: SESSION,
    segmentId: spoken.id,
    target: 'es',
    units: [{ from: 0, to: 2, text: 'ask not', translation: 'no preguntes' }],
    complete: true,
    glossary: '',
    ...change,
  });

  test('is found again by meeting and language, the newest version of it only', async () => {
    await store.putTranslation(translation({ units: [], complete: false }));
    await store.putTranslation(translation());
    await store.putTranslation(translation({ target: 'fr' }));
    expect(await store.translations(SESSION, 'es')).toEqual([translation()]);
    expect(await store.translations(`${SESSION}0` as typeof SESSION, 'es')).toEqual([]);
  });

  test('of words that turned out to be none goes with them, in every language', async () => {
    const other = segment(5_000, 'what you can do');
    await store.commit(commitOf(spoken));
    await store.putTranslation(translation());
    await store.putTranslation(translation({ target: 'fr' }));
    await store.putTranslation(translation({ segmentId: other.id }));
    await store.commit(commitOf(spoken, null));
    expect(await database.getAll('translations')).toEqual([translation({ segmentId: other.id })]);
    await store.note({ sessionId: SESSION, segmentId: other.id, segment: null });
    expect(await database.getAll('translations')).toEqual([]);
  });

  test('of a meeting that was deleted is not stored', async () => {
    await database.delete('sessions', SESSION);
    await store.putTranslation(translation());
    expect(await database.count('translations')).toBe(0);
  });

  test('by an engine that lost the device is not written', async () => {
    await database.put('engine', (MINE + 1) as Epoch, 'epoch');
    await expect(store.putTranslation(translation())).rejects.toMatchObject({ code: 'engine-changed' });
    expect(await database.count('translations')).toBe(0);
  });
});
