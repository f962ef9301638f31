import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';

/** A segment as stored: under its meeting, so that one key range holds a whole meeting. */
export interface StoredSegment {
  readonly sessionId: SessionId;
  readonly segment: Segment;
}

export interface UnisonoSchema extends DBSchema {
  sessions: { key: SessionId; value: Meeting; indexes: { 'by-start': number } };
  segments: { key: [SessionId, SegmentId]; value: StoredSegment };
}

export type UnisonoDatabase = IDBPDatabase<UnisonoSchema>;

/** Grows with every change of the schema; each step is one `if` in `upgrade`. */
const VERSION = 1;

/** Opens the database `unisono`, creating or upgrading it. `name` differs in tests only. */
export function openDatabase(name = 'unisono'): Promise<UnisonoDatabase> {
  return openDB<UnisonoSchema>(name, VERSION, {
    upgrade(database, oldVersion) {
      if (oldVersion < 1) {
        database.createObjectStore('sessions', { keyPath: 'id' }).createIndex('by-start', 'startedAtMs');
        database.createObjectStore('segments', { keyPath: ['sessionId', 'segment.id'] });
      }
    },
    // A newer version of the app in another tab must not wait for this one to close.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}
