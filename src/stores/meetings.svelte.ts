import { SvelteMap } from 'svelte/reactivity';
import { isDiskFull, toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { Meeting, MeetingTranscript } from '@core/transcript/meeting.ts';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import { deleteMeeting, listMeetings, loadMeeting, saveMeeting } from '@src/storage/meetings.ts';
import { isUnfinished, unfinishedRecordings } from '@src/storage/recordings.ts';
import type { TranscriptsStore } from './transcripts.svelte.ts';

/** A full disk may have room again; often enough that no word waits long for its meeting. */
const RETRY_MS = 5_000;

/** The meetings kept on this device. Failures to read, write or delete go to `onError`; nothing here rejects. */
export class MeetingsStore {
  readonly #database: Promise<UnisonoDatabase>;
  readonly #transcripts: TranscriptsStore;
  readonly #onError: (error: UnisonoError) => void;
  readonly #unsaved = new SvelteMap<SessionId, Meeting>();
  #list = $state.raw<readonly Meeting[]>([]);
  #unfinished = $state.raw<readonly SessionId[]>([]);
  #restored: SessionId | null = null;

  constructor(
    database: Promise<UnisonoDatabase>,
    transcripts: TranscriptsStore,
    onError: (error: UnisonoError) => void,
  ) {
    this.#database = database;
    this.#transcripts = transcripts;
    this.#onError = onError;
  }

  /** The latest first. */
  get list(): readonly Meeting[] {
    return this.#list;
  }

  /** The meeting is being recorded or finished, in this tab or in another one. */
  isGrowing(id: SessionId): boolean {
    return this.#transcripts.isLive(id) || this.#unfinished.includes(id);
  }

  /** Nothing is on the screen, or only what was put there at the start: it is nobody's choice. */
  get showsNoChoice(): boolean {
    const shown = this.#transcripts.shown?.meeting.id;
    return shown === undefined || shown === this.#restored;
  }

  async refresh(): Promise<void> {
    await this.#try((database) => this.#read(database));
  }

  async open(id: SessionId): Promise<void> {
    this.#restored = null;
    if (this.#transcripts.show(id)) return;
    const stored = await this.load(id);
    if (stored) this.#transcripts.open(stored);
  }

  /** Reads the list and shows the latest meeting, as after a reload. */
  async restore(): Promise<void> {
    await this.refresh();
    const latest = this.#list[0];
    if (!latest || this.#transcripts.shown) return;
    await this.open(latest.id);
    this.#restored = latest.id;
  }

  /** What is stored of a meeting, or null. */
  async load(id: SessionId): Promise<MeetingTranscript | null> {
    return (await this.#try((database) => loadMeeting(database, id))) ?? null;
  }

  /** Stores what is known of a meeting besides its words; a write that failed is tried again until it is done. */
  async save(meeting: Meeting): Promise<void> {
    this.#unsaved.set(meeting.id, meeting);
    const saved = await this.#try(async (database) => {
      await saveMeeting(database, meeting);
      return true;
    });
    if (this.#unsaved.get(meeting.id) !== meeting) return;
    if (saved) this.#unsaved.delete(meeting.id);
    else setTimeout(() => void this.#saveAgain(meeting), RETRY_MS);
  }

  /** A recording is over: if nobody spoke in it, it leaves no trace. */
  async settle(id: SessionId): Promise<void> {
    await this.#try(async (database) => {
      if (!(await isUnfinished(database, id))) {
        const stored = await loadMeeting(database, id);
        if (stored?.segments.length === 0) await this.#delete(database, id);
        else if (stored && this.#transcripts.shown?.meeting.id === id) this.#transcripts.open(stored);
      }
      await this.#read(database);
    });
  }

  async remove(id: SessionId): Promise<void> {
    await this.#try(async (database) => {
      await this.#delete(database, id);
      await this.#read(database);
    });
  }

  async #delete(database: UnisonoDatabase, id: SessionId): Promise<void> {
    this.#unsaved.delete(id);
    await deleteMeeting(database, id);
    this.#transcripts.hide(id);
  }

  async #read(database: UnisonoDatabase): Promise<void> {
    [this.#list, this.#unfinished] = await Promise.all([
      listMeetings(database),
      unfinishedRecordings(database),
    ]);
  }

  async #saveAgain(meeting: Meeting): Promise<void> {
    if (this.#unsaved.get(meeting.id) === meeting) await this.save(meeting);
  }

  async #try<Result>(work: (database: UnisonoDatabase) => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work(await this.#database);
    } catch (error) {
      this.#onError(toUnisonoError(error, isDiskFull(error) ? 'storage-full' : 'storage-failed'));
      return undefined;
    }
  }
}
