import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { RecognitionSettings, SourceDescription } from '@core/protocol/engine.ts';
import type { Epoch, SampleIndex, SegmentId, SessionId, SourceId, TabId } from '@core/protocol/ids.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import type { Language, Segment, Word } from '@core/transcript/types.ts';

/** A segment as stored: under its meeting, so that one key range holds a whole meeting. */
export interface StoredSegment {
  readonly sessionId: SessionId;
  readonly segment: Segment;
}

/** A recording that is not finished: from its first source until its last word is stored. Written by its capture worker. */
export interface StoredRecording {
  readonly sessionId: SessionId;
  readonly tab: TabId;
  readonly settings: RecognitionSettings;
  readonly sources: readonly SourceDescription[];
}

/** How far a source is stored, and what the next engine needs to go on. Written by the engine with the segments. */
export interface StoredProgress {
  readonly sessionId: SessionId;
  readonly sourceId: SourceId;
  readonly acknowledged: SampleIndex;
  /** The last seconds said (workers/engine/recent-speech.ts). */
  readonly recent: {
    readonly language: Language | null;
    readonly said: readonly {
      readonly start: number;
      readonly audio: Float32Array;
      readonly words: readonly Word[];
    }[];
  };
}

export interface UnisonoSchema extends DBSchema {
  sessions: { key: SessionId; value: Meeting; indexes: { 'by-start': number } };
  segments: { key: [SessionId, SegmentId]; value: StoredSegment };
  recordings: { key: SessionId; value: StoredRecording };
  progress: { key: [SessionId, SourceId]; value: StoredProgress };
  translations: { key: [SessionId, Language, SegmentId]; value: SegmentTranslation };
  /** `epoch`: of the engine that owns this device now. Every write of an engine checks it in its own transaction. */
  engine: { key: 'epoch'; value: Epoch };
}

export type UnisonoDatabase = IDBPDatabase<UnisonoSchema>;

/** All keys of a session that begin with its id: arrays sort after every string. */
export const keysOf = (id: SessionId) => IDBKeyRange.bound([id], [id, []]);

/** Grows with every change of the schema; each step is one `if` in `upgrade`. */
const VERSION = 3;

/** Opens the database `unisono`, creating or upgrading it. `name` differs in tests only. */
export function openDatabase(name = 'unisono'): Promise<UnisonoDatabase> {
  return openDB<UnisonoSchema>(name, VERSION, {
    upgrade(database, oldVersion) {
      if (oldVersion < 1) {
        database.createObjectStore('sessions', { keyPath: 'id' }).createIndex('by-start', 'startedAtMs');
        database.createObjectStore('segments', { keyPath: ['sessionId', 'segment.id'] });
      }
      if (oldVersion < 2) {
        database.createObjectStore('recordings', { keyPath: 'sessionId' });
        database.createObjectStore('progress', { keyPath: ['sessionId', 'sourceId'] });
        database.createObjectStore('engine');
      }
      if (oldVersion < 3) {
        database.createObjectStore('translations', { keyPath: ['sessionId', 'target', 'segmentId'] });
      }
    },
    // A newer version of the app in another tab must not wait for this one to close.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}
