import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Clock } from '@core/util/clock.ts';
import type { EngineStore, RunningNote, SegmentCommit } from './engine-store.ts';

/** How long a full disk keeps words waiting once there is room, if nothing more is said. */
const RETRY_MS = 5000;

export interface CommitQueueEffects {
  readonly store: Pick<EngineStore, 'commit' | 'note'>;
  readonly clock: Clock;
  /** Words cannot be stored, for another reason than before; or, with null, all are again. */
  changed(error: UnisonoError | null): void;
  /** Another engine owns the device: nothing more will be stored. */
  fenced(error: UnisonoError): void;
}

interface Entry {
  readonly commit: SegmentCommit;
  readonly stored: () => void;
}

/**
 * Stores what is said, of all sessions, in the order it came: an utterance is stored only after those before it. What
 * cannot be stored waits and goes out with the next, or by itself after a while. Lives in the engine worker.
 */
export class CommitQueue {
  readonly #effects: CommitQueueEffects;
  #waiting: Entry[] = [];
  /** Of each utterance under way the latest. */
  readonly #notes = new Map<SegmentId, RunningNote>();
  #running: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  #error: UnisonoError | null = null;
  #closed = false;

  constructor(effects: CommitQueueEffects) {
    this.#effects = effects;
  }

  /** `stored` is called once it is. */
  add(commit: SegmentCommit, stored: () => void): void {
    if (this.#closed) return;
    this.#notes.delete(commit.segmentId);
    this.#waiting.push({ commit, stored });
    void this.flush();
  }

  /** Stores it when nothing else waits. What the disk does not take is not tried again: the commit will say more. */
  note(note: RunningNote): void {
    if (this.#closed) return;
    this.#notes.set(note.segmentId, note);
    void this.flush();
  }

  /** Stores no more of the session. Resolves when what is being written is written or has failed. */
  async forget(sessionId: SessionId): Promise<void> {
    this.#waiting = this.#waiting.filter(({ commit }) => commit.sessionId !== sessionId);
    for (const [id, note] of this.#notes) if (note.sessionId === sessionId) this.#notes.delete(id);
    await this.#running;
  }

  /** Resolves when all is stored or something could not be. Never rejects. */
  flush(): Promise<void> {
    this.#callOff?.();
    this.#callOff = null;
    return (this.#running ??= this.#drain());
  }

  /** Forgets everything. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#notes.clear();
    this.#callOff?.();
  }

  async #drain(): Promise<void> {
    try {
      do {
        await this.#writeWaiting();
        this.#set(null);
        await this.#writeNote();
      } while (this.#waiting.length + this.#notes.size > 0);
    } catch (thrown) {
      if (!this.#closed) this.#failed(toUnisonoError(thrown, 'storage-failed'));
    }
    // Not a moment later: what is added in between would wait for the next.
    this.#running = null;
  }

  async #writeWaiting(): Promise<void> {
    for (let entry = this.#waiting[0]; entry; entry = this.#waiting[0]) {
      await this.#effects.store.commit(entry.commit);
      // Else it was forgotten meanwhile.
      if (this.#waiting[0] !== entry) continue;
      this.#waiting.shift();
      entry.stored();
    }
  }

  async #writeNote(): Promise<void> {
    const [note] = this.#notes.values();
    if (!note) return;
    this.#notes.delete(note.segmentId);
    try {
      await this.#effects.store.note(note);
    } catch (thrown) {
      const error = toUnisonoError(thrown, 'storage-failed');
      if (error.code === 'engine-changed' && !this.#closed) this.#failed(error);
    }
  }

  #failed(error: UnisonoError): void {
    if (error.code === 'engine-changed') {
      this.close();
      this.#effects.fenced(error);
      return;
    }
    this.#set(error);
    this.#callOff = this.#effects.clock.after(RETRY_MS, () => void this.flush());
  }

  #set(error: UnisonoError | null): void {
    if (this.#closed || this.#error?.code === error?.code) return;
    this.#error = error;
    this.#effects.changed(error);
  }
}
