import { emptyTranscript } from '@core/transcript/reduce.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { Meeting, MeetingTranscript } from '@core/transcript/meeting.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { StoredSegment, UnisonoDatabase } from './database.ts';

/** All keys that begin with the session's id: arrays sort after every string. */
const keysOf = (id: SessionId) => IDBKeyRange.bound([id], [id, []]);

/** Meetings kept on this device, the latest first. */
export async function listMeetings(database: UnisonoDatabase): Promise<readonly Meeting[]> {
  return (await database.getAllFromIndex('sessions', 'by-start')).reverse();
}

/** A stored meeting with its segments, or null when it is not there. */
export async function loadMeeting(
  database: UnisonoDatabase,
  id: SessionId,
): Promise<MeetingTranscript | null> {
  const transaction = database.transaction(['sessions', 'segments']);
  const [meeting, stored] = await Promise.all([
    transaction.objectStore('sessions').get(id),
    transaction.objectStore('segments').getAll(keysOf(id)),
  ]);
  return meeting ? { meeting, segments: emptyTranscript(id, stored.map(restore)).segments } : null;
}

/**
 * A segment that was cut short by a reload is stored with the words committed so far: nothing follows them
 * any more, so it is shown as complete.
 */
function restore({ segment }: StoredSegment): Segment {
  return { ...segment, state: 'final', tentative: [] };
}

export async function deleteMeeting(database: UnisonoDatabase, id: SessionId): Promise<void> {
  const transaction = database.transaction(['sessions', 'segments'], 'readwrite');
  await Promise.all([
    transaction.objectStore('sessions').delete(id),
    transaction.objectStore('segments').delete(keysOf(id)),
    transaction.done,
  ]);
}
