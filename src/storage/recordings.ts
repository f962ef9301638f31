import { LOCKS } from '@core/protocol/tabs.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { UnisonoDatabase } from './database.ts';

/** Recordings whose last word is not stored yet, by whichever tab. */
export const unfinishedRecordings = (database: UnisonoDatabase): Promise<readonly SessionId[]> =>
  database.getAllKeys('recordings');

export async function isUnfinished(database: UnisonoDatabase, id: SessionId): Promise<boolean> {
  return (await database.getKey('recordings', id)) !== undefined;
}

/** The tab died before it had written what it records: the words need a meeting to be stored with. */
export async function restoreMeeting(database: UnisonoDatabase, id: SessionId): Promise<void> {
  const transaction = database.transaction(['sessions', 'recordings'], 'readwrite');
  const sessions = transaction.objectStore('sessions');
  const recording = await transaction.objectStore('recordings').get(id);
  if (recording && (await sessions.getKey(id)) === undefined) {
    const sources = recording.sources.map((source) => ({ ...source, name: '' }));
    const { settings } = recording;
    await sessions.put({ id, startedAtMs: Date.now(), durationMs: 0, sources, settings, preview: '' });
  }
  await transaction.done;
}

/**
 * Runs `work` once no tab feeds the session any more, in one tab at a time: the others wait, so that a recovery that
 * dies is taken up by the next. Settles with the work. A browser without Web Locks journals in memory: nothing of a tab
 * that died is left there.
 */
export function whenAbandoned(id: SessionId, work: () => Promise<void>): Promise<void> {
  if (!('locks' in navigator)) return Promise.resolve();
  return navigator.locks.request(LOCKS.recovery(id), async () => {
    await navigator.locks.request(LOCKS.recording(id), () => undefined);
    await work();
  });
}
