import { deleteDB, openDB, type IDBPDatabase } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sampleIndex, type SessionId, type SourceId, type TabId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { textOf } from '@core/transcript/types.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import { deleteMeeting, listMeetings, loadMeeting, saveMeeting } from '@src/storage/meetings.ts';
import { restoreMeeting, unfinishedRecordings, whenAbandoned } from '@src/storage/recordings.ts';
import { meeting, segment, SESSION } from '../support/segments.ts';

const NAME = 'unisono-storage-test';
const opened: UnisonoDatabase[] = [];

/** A database as after a reload of the page: opened anew. */
async function open(): Promise<UnisonoDatabase> {
  const database = await openDatabase(NAME);
  opened.push(database);
  return database;
}

afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  await deleteDB(NAME);
});

describe('the database', () => {
  const grownTo = {
    1: (old: IDBPDatabase) => {
      old.createObjectStore('sessions', { keyPath: 'id' }).createIndex('by-start', 'startedAtMs');
      old.createObjectStore('segments', { keyPath: ['sessionId', 'segment.id'] });
    },
    2: (old: IDBPDatabase) => {
      grownTo[1](old);
      old.createObjectStore('recordings', { keyPath: 'sessionId' });
      old.createObjectStore('progress', { keyPath: ['sessionId', 'sourceId'] });
      old.createObjectStore('engine');
    },
  };

  it.each([1, 2] as const)('of version %d opens with its meetings and their words', async (version) => {
    const old = await openDB(NAME, version, { upgrade: grownTo[version] });
    await old.put('sessions', meeting());
    await old.put('segments', { sessionId: SESSION, segment: segment(0, 'Said long ago.') });
    old.close();

    const database = await open();
    const stored = await loadMeeting(database, SESSION);
    expect(stored?.meeting).toEqual(meeting());
    expect(stored?.segments.map(({ committed }) => textOf(committed))).toEqual(['Said long ago.']);
    expect(await unfinishedRecordings(database)).toEqual([]);
    expect(await database.count('translations')).toBe(0);
  });
});

describe('a meeting', () => {
  it('is read in the order it was spoken, whatever order it was written in', async () => {
    const database = await open();
    await saveMeeting(database, meeting());
    for (const startMs of [9_000, 0, 4_000]) {
      await database.put('segments', { sessionId: SESSION, segment: segment(startMs, `at ${startMs}`) });
    }
    const stored = await loadMeeting(await open(), SESSION);
    expect(stored?.segments.map(({ committed }) => textOf(committed))).toEqual([
      'at 0',
      'at 4000',
      'at 9000',
    ]);
  });

  it('gets a second source without losing what the engine wrote of its words', async () => {
    const database = await open();
    await saveMeeting(database, meeting({ durationMs: 0, preview: '' }));
    await database.put('sessions', meeting({ durationMs: 75_000, preview: 'Good morning' }));
    const [microphone] = meeting().sources;
    const tab = { ...microphone!, sourceId: 'tab-1' as SourceId, kind: 'tab' as const };
    await saveMeeting(database, meeting({ durationMs: 0, preview: '', sources: [microphone!, tab] }));
    expect(await listMeetings(database)).toMatchObject([
      { durationMs: 75_000, preview: 'Good morning', sources: [{ kind: 'microphone' }, { kind: 'tab' }] },
    ]);
  });
});

describe('the list of meetings', () => {
  const ids = ['a', 'a-longer', 'b'] as SessionId[];

  async function threeMeetings(): Promise<UnisonoDatabase> {
    const database = await open();
    for (const [index, id] of ids.entries()) {
      await saveMeeting(database, meeting({ id, startedAtMs: index }));
      await database.put('segments', { sessionId: id, segment: segment(0, `words of ${id}`) });
    }
    return database;
  }

  it('shows the latest first; deleting one deletes its words, their translations, and nobody else’s', async () => {
    const database = await threeMeetings();
    for (const sessionId of ids) {
      const { id: segmentId } = segment(0, '');
      const none = { units: [], complete: true, glossary: '' };
      await database.put('translations', { sessionId, segmentId, target: 'fr', ...none });
    }
    expect((await listMeetings(database)).map(({ id }) => id)).toEqual(['b', 'a-longer', 'a']);
    await deleteMeeting(database, ids[0]!);
    expect((await listMeetings(database)).map(({ id }) => id)).toEqual(['b', 'a-longer']);
    expect(await loadMeeting(database, ids[0]!)).toBeNull();
    expect((await loadMeeting(database, ids[1]!))?.segments).toHaveLength(1);
    expect(await database.count('segments')).toBe(2);
    const translated = await database.getAll('translations');
    expect(translated.map(({ sessionId }) => sessionId)).toEqual([ids[1], ids[2]]);
  });

  it('of a deleted meeting keeps neither its audio nor a recording to recover', async () => {
    const database = await threeMeetings();
    const [id, other] = [ids[0]!, ids[1]!];
    const sourceId = 'm' as SourceId;
    await database.put('recordings', {
      sessionId: id,
      tab: 'gone' as TabId,
      settings: meeting().settings,
      sources: [],
    });
    await database.put('progress', {
      sessionId: id,
      sourceId,
      acknowledged: sampleIndex(0),
      recent: { language: null, said: [] },
    });
    const audio = await (
      await navigator.storage.getDirectory()
    ).getDirectoryHandle('audio', { create: true });
    for (const name of [id, other]) await audio.getDirectoryHandle(name, { create: true });

    await deleteMeeting(database, id);
    expect(await unfinishedRecordings(database)).toEqual([]);
    expect(await database.count('progress')).toBe(0);
    const left: string[] = [];
    for await (const name of audio.keys()) left.push(name);
    expect(left).toEqual([other]);
    await audio.removeEntry(other, { recursive: true });
  });
});

describe('a recording whose tab may have died', () => {
  it('has a meeting for its words, even if the tab died before it wrote one', async () => {
    const database = await open();
    const { settings, sources } = meeting();
    await restoreMeeting(database, SESSION);
    expect(await listMeetings(database)).toEqual([]); // deleted, with its recording
    await database.put('recordings', { sessionId: SESSION, tab: 'gone' as TabId, settings, sources });
    await restoreMeeting(database, SESSION);
    expect(await listMeetings(database)).toMatchObject([{ id: SESSION, settings, sources }]);

    await database.put('sessions', meeting({ preview: 'Known.' }));
    await restoreMeeting(database, SESSION);
    expect(await listMeetings(database)).toEqual([meeting({ preview: 'Known.' })]);
  });

  it('is left alone while that tab lives, and is taken by one tab only afterwards', async () => {
    const id = crypto.randomUUID() as SessionId;
    const alive = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const recording = navigator.locks.request(LOCKS.recording(id), () => {
      held.resolve();
      return alive.promise;
    });
    await held.promise;

    const taken: string[] = [];
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const one = whenAbandoned(id, () => {
      taken.push('one');
      begun.resolve();
      return first.promise;
    });
    const two = whenAbandoned(id, () => {
      taken.push('two');
      return Promise.resolve();
    });
    await vi.waitFor(async () => {
      const { pending } = await navigator.locks.query();
      expect(pending?.map(({ name }) => name)).toContain(LOCKS.recording(id));
    });
    expect(taken).toEqual([]);

    alive.resolve();
    await recording;
    await begun.promise;
    expect(taken).toEqual(['one']);
    first.resolve();
    await Promise.all([one, two]);
    expect(taken).toEqual(['one', 'two']); // which finds nothing left to do
  });
});
