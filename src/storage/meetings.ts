import type { SessionId } from '@core/protocol/ids.ts';
import type { Meeting, MeetingTranscript } from '@core/transcript/meeting.ts';
import { emptyTranscript } from '@core/transcript/reduce.ts';
import type { Segment } from '@core/transcript/types.ts';
import { keysOf, type UnisonoDatabase } from './database.ts';
import { JOURNALS, KEPT_AUDIO, removeSessionFolder } from './files.ts';

/** Meetings kept on this device, the latest first. */
export async function listMeetings(database: UnisonoDatabase): Promise<readonly Meeting[]> {
  return (await database.getAllFromIndex('sessions', 'by-start')).reverse();
}

/** A stored meeting with its segments as they are stored, or null when it is not there. */
export async function loadMeeting(
  database: UnisonoDatabase,
  id: SessionId,
): Promise<MeetingTranscript | null> {
  const transaction = database.transaction(['sessions', 'segments']);
  const [meeting, stored] = await Promise.all([
    transaction.objectStore('sessions').get(id),
    transaction.objectStore('segments').getAll(keysOf(id)),
  ]);
  const segments = stored.map(({ segment }) => segment);
  return meeting ? { meeting, segments: emptyTranscript(id, segments).segments } : null;
}

/**
 * A segment that was cut short is stored with the words committed so far: where nothing follows them any more,
 * it is shown as complete.
 */
export const asComplete = (segment: Segment): Segment =>
  segment.state === 'final' ? segment : { ...segment, state: 'final', tentative: [] };

/**
 * Writes what the page knows of a meeting: when it began, what is recorded, with which settings. What the engine has
 * written of its words stays.
 */
export async function saveMeeting(database: UnisonoDatabase, meeting: Meeting): Promise<void> {
  const { store, done } = database.transaction('sessions', 'readwrite');
  const stored = await store.get(meeting.id);
  const ofWords = stored && { durationMs: stored.durationMs, preview: stored.preview };
  await Promise.all([store.put({ ...meeting, ...ofWords }), done]);
}

/** Deletes a meeting, its words and their translations, and what is left of its recording, and gives the space of its audio back. */
export async function deleteMeeting(database: UnisonoDatabase, id: SessionId): Promise<void> {
  const stores = ['sessions', 'segments', 'recordings', 'progress', 'translations'] as const;
  const transaction = database.transaction(stores, 'readwrite');
  await Promise.all([
    transaction.objectStore('sessions').delete(id),
    transaction.objectStore('segments').delete(keysOf(id)),
    transaction.objectStore('recordings').delete(id),
    transaction.objectStore('progress').delete(keysOf(id)),
    transaction.objectStore('translations').delete(keysOf(id)),
    transaction.done,
  ]);
  await removeSessionFolder(KEPT_AUDIO, id);
  await removeSessionFolder(JOURNALS, id);
}
