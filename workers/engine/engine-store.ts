import type { IDBPTransaction } from 'idb';
import { isDiskFull, UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SegmentId, SessionId } from '@core/protocol/ids.ts';
import { previewOf, type Meeting } from '@core/transcript/meeting.ts';
import { LANGUAGES, type Language, type Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import {
  keysOf,
  type StoredProgress,
  type UnisonoDatabase,
  type UnisonoSchema,
} from '@src/storage/database.ts';
import { isUnfinished } from '@src/storage/recordings.ts';
import { loadTranslations } from '@src/storage/translations.ts';

/** What an utterance came to. */
export interface SegmentCommit {
  readonly sessionId: SessionId;
  readonly segmentId: SegmentId;
  /** Final; null when it held no words. */
  readonly segment: Segment | null;
  /** Of its source, once this is stored. */
  readonly progress: StoredProgress;
}

/** What is certain of an utterance under way. */
export interface RunningNote extends Pick<SegmentCommit, 'sessionId' | 'segmentId'> {
  /** With words that never change again; null when it held none after all. */
  readonly segment: Segment | null;
}

/** Where the engine keeps the words and their translations, and what the next engine needs to go on. */
export interface EngineStore {
  progress(sessionId: SessionId): Promise<readonly StoredProgress[]>;
  /** Its recording goes on, or waits to be read to its end. */
  isRecorded(sessionId: SessionId): Promise<boolean>;
  /** What was said, in no order; of what is being said what is certain. */
  segments(sessionId: SessionId): Promise<readonly Segment[]>;
  /** What of it is translated into that language. */
  translations(sessionId: SessionId, target: Language): Promise<readonly SegmentTranslation[]>;
  /** Kept for the next engine, and for tabs that open meanwhile, until the segment is committed. @throws UnisonoError as {@link commit} does */
  note(note: RunningNote): Promise<void>;
  /** Of a deleted meeting it stores nothing. @throws UnisonoError as {@link commit} does */
  putTranslation(translation: SegmentTranslation): Promise<void>;
  /**
   * Stores segment and progress, both or none. Of a segment that held no words the translations go, too.
   * @throws UnisonoError `engine-changed` when another engine owns this device, then nothing was written;
   *   `storage-full`, `storage-failed`
   */
  commit(commit: SegmentCommit): Promise<void>;
}

const WRITTEN = ['engine', 'sessions', 'segments', 'progress', 'recordings', 'translations'] as const;
type Writing = IDBPTransaction<UnisonoSchema, typeof WRITTEN, 'readwrite'>;

/** The engine's words in the app's database. Void once a later epoch is written there. */
export class DatabaseStore implements EngineStore {
  readonly #open: () => Promise<UnisonoDatabase>;
  readonly #epoch: Epoch;
  #database: Promise<UnisonoDatabase> | null = null;

  /** @param open called again after a failure: the browser may have closed the connection */
  constructor(open: () => Promise<UnisonoDatabase>, epoch: Epoch) {
    this.#open = open;
    this.#epoch = epoch;
  }

  progress(sessionId: SessionId): Promise<readonly StoredProgress[]> {
    return this.#use((database) => database.getAll('progress', keysOf(sessionId)));
  }

  isRecorded(sessionId: SessionId): Promise<boolean> {
    return this.#use((database) => isUnfinished(database, sessionId));
  }

  async segments(sessionId: SessionId): Promise<readonly Segment[]> {
    const stored = await this.#use((database) => database.getAll('segments', keysOf(sessionId)));
    return stored.map(({ segment }) => segment);
  }

  translations(sessionId: SessionId, target: Language): Promise<readonly SegmentTranslation[]> {
    return this.#use((database) => loadTranslations(database, sessionId, target));
  }

  putTranslation(translation: SegmentTranslation): Promise<void> {
    return this.#write(translation.sessionId, async (transaction) => {
      await transaction.objectStore('translations').put(translation);
    });
  }

  note({ sessionId, segmentId, segment }: RunningNote): Promise<void> {
    return this.#write(sessionId, async (transaction) => {
      if (segment) await transaction.objectStore('segments').put({ sessionId, segment });
      else await takeBack(transaction, sessionId, segmentId);
    });
  }

  commit({ sessionId, segmentId, segment, progress }: SegmentCommit): Promise<void> {
    return this.#write(sessionId, async (transaction, meeting) => {
      await transaction.objectStore('progress').put(progress);
      if (segment) {
        await transaction.objectStore('segments').put({ sessionId, segment });
        if (meeting) await transaction.objectStore('sessions').put(withWords(meeting, segment));
      } else {
        await takeBack(transaction, sessionId, segmentId);
      }
    });
  }

  /** All or nothing, while this engine owns the device; nothing when the meeting was deleted. */
  #write(
    sessionId: SessionId,
    put: (transaction: Writing, meeting: Meeting | undefined) => Promise<void>,
  ): Promise<void> {
    return this.#use(async (database) => {
      const transaction = database.transaction(WRITTEN, 'readwrite');
      // Also awaited below, where its failure counts.
      transaction.done.catch(() => undefined);
      try {
        const epoch = await transaction.objectStore('engine').get('epoch');
        if (epoch !== this.#epoch) {
          throw new UnisonoError(
            'engine-changed',
            `Epoch ${this.#epoch} is over: it is ${String(epoch)} now.`,
          );
        }
        const meeting = await transaction.objectStore('sessions').get(sessionId);
        const recording = await transaction.objectStore('recordings').getKey(sessionId);
        // Without both it was deleted while its last words were being read.
        if (meeting || recording) await put(transaction, meeting);
        await transaction.done;
      } catch (thrown) {
        abort(transaction);
        // Where the disk is full a request says only that its transaction was aborted.
        throw transaction.error ?? thrown;
      }
    });
  }

  async #use<T>(work: (database: UnisonoDatabase) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#database ??= this.#open()));
    } catch (thrown) {
      const error = storageError(thrown);
      if (error.code === 'storage-failed') this.#database = null;
      throw error;
    }
  }
}

/** It held no words after all. */
async function takeBack(transaction: Writing, sessionId: SessionId, segmentId: SegmentId): Promise<void> {
  await transaction.objectStore('segments').delete([sessionId, segmentId]);
  const translations = transaction.objectStore('translations');
  for (const target of LANGUAGES) await translations.delete([sessionId, target, segmentId]);
}

const withWords = (meeting: Meeting, segment: Segment): Meeting => ({
  ...meeting,
  durationMs: Math.max(meeting.durationMs, segment.endMs),
  preview: meeting.preview || previewOf(segment),
});

/** Or a write that went well would stay without the one that did not. */
function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
}

function storageError(cause: unknown): UnisonoError {
  if (cause instanceof UnisonoError) return cause;
  if (isDiskFull(cause)) {
    return new UnisonoError('storage-full', 'The disk is full: new words wait until there is room.', {
      cause,
    });
  }
  return new UnisonoError('storage-failed', 'The browser could not store the words.', { cause });
}
