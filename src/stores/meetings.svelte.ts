import { UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import { deleteMeeting, listMeetings, loadMeeting } from '@src/storage/meetings.ts';
import type { TranscriptWriter } from '@src/storage/transcript-writer.ts';
import type { TranscriptsStore } from './transcripts.svelte.ts';

/** The meetings kept on this device. Failures to read or delete go to `onError`; nothing here rejects. */
export class MeetingsStore {
  readonly #database: Promise<UnisonoDatabase>;
  readonly #writer: TranscriptWriter;
  readonly #transcripts: TranscriptsStore;
  readonly #onError: (error: UnisonoError) => void;
  #list = $state.raw<readonly Meeting[]>([]);

  constructor(
    database: Promise<UnisonoDatabase>,
    writer: TranscriptWriter,
    transcripts: TranscriptsStore,
    onError: (error: UnisonoError) => void,
  ) {
    this.#database = database;
    this.#writer = writer;
    this.#transcripts = transcripts;
    this.#onError = onError;
  }

  /** The latest first. */
  get list(): readonly Meeting[] {
    return this.#list;
  }

  async refresh(): Promise<void> {
    await this.#try(async (database) => {
      await this.#writer.flush();
      this.#list = await listMeetings(database);
    });
  }

  async open(id: SessionId): Promise<void> {
    await this.#try(async (database) => {
      await this.#writer.flush();
      const stored = await loadMeeting(database, id);
      if (stored) this.#transcripts.open(stored);
    });
  }

  /** Reads the list and shows the latest meeting, as after a reload. */
  async restore(): Promise<void> {
    await this.refresh();
    const latest = this.#list[0];
    if (latest && !this.#transcripts.shown) await this.open(latest.id);
  }

  async remove(id: SessionId): Promise<void> {
    await this.#try(async (database) => {
      this.#writer.forget(id);
      await this.#writer.flush();
      await deleteMeeting(database, id);
      this.#transcripts.hide(id);
      this.#list = await listMeetings(database);
    });
  }

  async #try(work: (database: UnisonoDatabase) => Promise<void>): Promise<void> {
    try {
      await work(await this.#database);
    } catch (error) {
      this.#onError(new UnisonoError('storage-failed', String(error), { cause: error }));
    }
  }
}
