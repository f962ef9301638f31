import { UnisonoError } from '@core/protocol/errors.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { UnisonoDatabase } from './database.ts';

/** One change of a meeting's words. A null segment takes the words of that id back. */
export interface TranscriptChange {
  readonly meeting: Meeting;
  readonly segmentId: SegmentId;
  readonly segment: Segment | null;
}

/**
 * Writes a transcript as it grows. Used from the page's thread only, one instance per database.
 *
 * The first change is written at once; changes that arrive while a transaction runs go together into the
 * next one, the latest version of each segment only. After a failure the changes are kept and go out with
 * the next, so that a full disk costs nothing once there is room again.
 */
export class TranscriptWriter {
  readonly #database: Promise<UnisonoDatabase>;
  readonly #onError: (error: UnisonoError) => void;
  readonly #pending = new Map<string, TranscriptChange>();
  #running: Promise<void> | null = null;

  constructor(database: Promise<UnisonoDatabase>, onError: (error: UnisonoError) => void) {
    this.#database = database;
    this.#onError = onError;
  }

  write(change: TranscriptChange): void {
    this.#pending.set(`${change.meeting.id} ${change.segmentId}`, change);
    void this.flush();
  }

  /** Forgets what is not yet written of a meeting that is being deleted. */
  forget(id: SessionId): void {
    for (const [key, change] of this.#pending) if (change.meeting.id === id) this.#pending.delete(key);
  }

  /** Settles when everything written so far is stored or has failed. Never rejects. */
  flush(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = new Map(this.#pending);
      this.#pending.clear();
      try {
        await this.#store([...batch.values()]);
      } catch (error) {
        for (const [key, change] of batch) if (!this.#pending.has(key)) this.#pending.set(key, change);
        const full = error instanceof DOMException && error.name === 'QuotaExceededError';
        this.#onError(
          new UnisonoError(full ? 'storage-full' : 'storage-failed', String(error), { cause: error }),
        );
        return;
      }
    }
  }

  async #store(changes: readonly TranscriptChange[]): Promise<void> {
    const transaction = (await this.#database).transaction(['sessions', 'segments'], 'readwrite');
    const sessions = transaction.objectStore('sessions');
    const segments = transaction.objectStore('segments');
    const meetings = new Map(changes.map(({ meeting }) => [meeting.id, meeting]));
    await Promise.all([
      ...[...meetings.values()].map((meeting) => sessions.put(meeting)),
      ...changes.map(({ meeting, segmentId, segment }) =>
        segment
          ? segments.put({ sessionId: meeting.id, segment: { ...segment, tentative: [] } })
          : segments.delete([meeting.id, segmentId]),
      ),
      transaction.done,
    ]);
  }
}
