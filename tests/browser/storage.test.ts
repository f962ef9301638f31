import { deleteDB } from 'idb';
import { afterEach, describe, expect, it } from 'vitest';
import type { UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { textOf } from '@core/transcript/types.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import { deleteMeeting, listMeetings, loadMeeting } from '@src/storage/meetings.ts';
import { TranscriptWriter } from '@src/storage/transcript-writer.ts';
import { meeting, segment, SESSION, words } from '../support/segments.ts';

const NAME = 'unisono-storage-test';
const opened: UnisonoDatabase[] = [];
const errors: UnisonoError[] = [];

/** A database as after a reload of the page: opened anew. */
async function open(): Promise<UnisonoDatabase> {
  const database = await openDatabase(NAME);
  opened.push(database);
  return database;
}

const writerFor = (database: UnisonoDatabase) =>
  new TranscriptWriter(Promise.resolve(database), (error) => errors.push(error));

afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  errors.length = 0;
  await deleteDB(NAME);
});

describe('a transcript that is stored as it grows', () => {
  it('is there after a reload, in the order it was spoken, whatever order it was written in', async () => {
    const writer = writerFor(await open());
    for (const startMs of [9_000, 0, 4_000]) {
      const spoken = segment(startMs, `at ${startMs}`);
      writer.write({ meeting: meeting(), segmentId: spoken.id, segment: spoken });
    }
    await writer.flush();

    const stored = await loadMeeting(await open(), SESSION);
    expect(stored?.meeting).toEqual(meeting());
    expect(stored?.segments.map(({ committed }) => textOf(committed))).toEqual([
      'at 0',
      'at 4000',
      'at 9000',
    ]);
    expect(errors).toEqual([]);
  });

  it('keeps the certain words of an utterance that a reload cut short, and only those', async () => {
    const writer = writerFor(await open());
    const open_ = segment(0, 'ask not what', { state: 'committed', tentative: words(' your country') });
    writer.write({ meeting: meeting(), segmentId: open_.id, segment: open_ });
    await writer.flush();

    const stored = await loadMeeting(await open(), SESSION);
    expect(stored?.segments).toMatchObject([{ state: 'final', tentative: [] }]);
    expect(textOf(stored!.segments[0]!.committed)).toBe('ask not what');
  });

  it('writes only the latest of many versions that come while it is busy, and loses none', async () => {
    const writer = writerFor(await open());
    for (let rev = 1; rev <= 200; rev++) {
      const version = segment((rev % 4) * 1_000, `version ${rev}`, { rev });
      writer.write({ meeting: meeting(), segmentId: version.id, segment: version });
    }
    await writer.flush();
    const stored = await loadMeeting(await open(), SESSION);
    expect(stored?.segments.map(({ rev }) => rev)).toEqual([200, 197, 198, 199]);
  });

  it('takes back what the engine took back', async () => {
    const writer = writerFor(await open());
    const noise = segment(0, 'you', { state: 'committed' });
    writer.write({ meeting: meeting(), segmentId: noise.id, segment: noise });
    await writer.flush();
    writer.write({ meeting: meeting(), segmentId: noise.id, segment: null });
    await writer.flush();
    expect((await loadMeeting(await open(), SESSION))?.segments).toEqual([]);
  });

  it('says so when the disk is full, and stores it with the next words once there is room', async () => {
    const database = await open();
    let full = true;
    const transaction = (stores: ['sessions', 'segments'], mode: 'readwrite') => {
      if (full) throw new DOMException('no room', 'QuotaExceededError');
      return database.transaction(stores, mode);
    };
    const writer = writerFor({ transaction } as unknown as UnisonoDatabase);
    const first = segment(0, 'first');
    writer.write({ meeting: meeting(), segmentId: first.id, segment: first });
    await writer.flush();
    expect(errors.map(({ code }) => code)).toEqual(['storage-full']);

    full = false;
    const second = segment(5_000, 'second');
    writer.write({ meeting: meeting(), segmentId: second.id, segment: second });
    await writer.flush();
    const stored = await loadMeeting(database, SESSION);
    expect(stored?.segments.map(({ committed }) => textOf(committed))).toEqual(['first', 'second']);
  });
});

describe('the list of meetings', () => {
  it('shows the latest first; deleting one deletes its words and nobody else’s', async () => {
    const database = await open();
    const writer = writerFor(database);
    const ids = ['a', 'a-longer', 'b'] as SessionId[];
    for (const [index, id] of ids.entries()) {
      const spoken = segment(0, `words of ${id}`);
      writer.write({ meeting: meeting({ id, startedAtMs: index }), segmentId: spoken.id, segment: spoken });
    }
    await writer.flush();
    expect((await listMeetings(database)).map(({ id }) => id)).toEqual(['b', 'a-longer', 'a']);

    await deleteMeeting(database, ids[0]!);
    expect((await listMeetings(database)).map(({ id }) => id)).toEqual(['b', 'a-longer']);
    expect(await loadMeeting(database, ids[0]!)).toBeNull();
    expect((await loadMeeting(database, ids[1]!))?.segments).toHaveLength(1);
    expect(await database.count('segments')).toBe(2);
  });
});
