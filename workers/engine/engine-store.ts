import { isDiskFull, UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SegmentId, SessionId } from '@core/protocol/ids.ts';
import { previewOf, type Meeting } from '@core/transcript/meeting.ts';
import type { Segment } from '@core/transcript/types.ts';
import { keysOf, type StoredProgress, type UnisonoDatabase } from '@src/storage/database.ts';

/** What an utterance came to. */
export interface SegmentCommit {
  readonly sessionId: SessionId;
  readonly segmentId: SegmentId;
  /** Final; null when it held no words. */
  readonly segment: Segment | null;
  /** Of its source, once this is stored. */
  readonly progress: StoredProgress;
}

/** Where the engine keeps the words, and what the next engine needs to go on. */
export interface EngineStore {
  progress(sessionId: SessionId): Promise<readonly StoredProgress[]>;
  /**
   * Stores segment and progress, both or none.
   * @throws UnisonoError `engine-changed` when another engine owns this device, then nothing was written;
   *   `storage-full`, `storage-failed`
   */
  commit(commit: SegmentCommit): Promise<void>;
}

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

  commit(commit: SegmentCommit): Promise<void> {
    return this.#use((database) => this.#write(database, commit));
  }

  async #write(database: UnisonoDatabase, commit: SegmentCommit): Promise<void> {
    const transaction = database.transaction(
      ['engine', 'sessions', 'segments', 'progress', 'recordings'],
      'readwrite',
    );
    // Also awaited below, where its failure counts.
    transaction.done.catch(() => undefined);
    try {
      const epoch = await transaction.objectStore('engine').get('epoch');
      if (epoch !== this.#epoch) {
        throw new UnisonoError('engine-changed', `Epoch ${this.#epoch} is over: it is ${String(epoch)} now.`);
      }
      const sessions = transaction.objectStore('sessions');
      const segments = transaction.objectStore('segments');
      const { sessionId, segmentId, segment, progress } = commit;
      const meeting = await sessions.get(sessionId);
      const recording = await transaction.objectStore('recordings').getKey(sessionId);
      // Without both it was deleted while its last words were being read.
      if (meeting || recording) {
        await transaction.objectStore('progress').put(progress);
        if (segment) {
          await segments.put({ sessionId, segment });
          if (meeting) await sessions.put(withWords(meeting, segment));
        } else {
          await segments.delete([sessionId, segmentId]);
        }
      }
      await transaction.done;
    } catch (thrown) {
      abort(transaction);
      // Where the disk is full a request says only that its transaction was aborted.
      throw transaction.error ?? thrown;
    }
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
