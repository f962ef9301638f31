import type { JournalKind } from '@core/protocol/capture.ts';
import type { UnisonoError } from '@core/protocol/errors.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import { isMissing, JOURNALS, openSessionFolder, removeSessionFolder } from '@src/storage/files.ts';
import { wallClock } from '@core/util/clock.ts';
import { Journal } from './journal.ts';

/** A file of a worker that has just died stays taken for a moment. */
const TAKEN_TRIES = 100;
const TAKEN_WAIT_MS = 50;

/** The only way of this worker into a file, which others keep away from meanwhile. */
export async function openFile(handle: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  for (let tries = 1; ; tries++) {
    try {
      return await handle.createSyncAccessHandle();
    } catch (thrown) {
      const taken = thrown instanceof DOMException && thrown.name === 'NoModificationAllowedError';
      if (!taken || tries === TAKEN_TRIES) throw thrown;
      await new Promise<void>((resolve) => wallClock.after(TAKEN_WAIT_MS, resolve));
    }
  }
}

export type JournalMode = 'new' | 'left';

/** A recording goes on without a disk; what another left on the disk is not given up. */
const memoryIf =
  (bearable: boolean) =>
  (thrown: unknown): null => {
    if (!bearable) throw thrown;
    return null;
  };

/** The journals of one session: `journal/<session>/<source>.pcm` in OPFS, or memory where there is none. */
export class JournalFolder {
  readonly #sessionId: SessionId;
  readonly #folder: FileSystemDirectoryHandle | null;
  readonly #onFull: (error: UnisonoError) => void;
  readonly #journals = new Map<SourceId, Journal>();

  private constructor(
    sessionId: SessionId,
    folder: FileSystemDirectoryHandle | null,
    onFull: (error: UnisonoError) => void,
  ) {
    this.#sessionId = sessionId;
    this.#folder = folder;
    this.#onFull = onFull;
  }

  /** Of a recording that begins, or (`left`) of one that a worker left behind: that one is opened or nothing is. */
  static async open(
    sessionId: SessionId,
    mode: JournalMode,
    onFull: (error: UnisonoError) => void,
  ): Promise<JournalFolder> {
    const folder = await openFolder(sessionId).catch(memoryIf(mode === 'new'));
    return new JournalFolder(sessionId, folder, onFull);
  }

  get kind(): JournalKind {
    return this.#folder ? 'opfs' : 'memory';
  }

  get journals(): ReadonlyMap<SourceId, Journal> {
    return this.#journals;
  }

  /** Where nothing is left of it, an empty one. */
  async openJournal(sourceId: SourceId, mode: JournalMode): Promise<Journal> {
    const file = this.#openFile(sourceId, mode === 'new');
    const journal = new Journal({
      file: await file.catch((thrown: unknown) => memoryIf(mode === 'new' || isMissing(thrown))(thrown)),
      now: () => wallClock.now(),
      onFull: this.#onFull,
    });
    this.#journals.set(sourceId, journal);
    return journal;
  }

  async #openFile(sourceId: SourceId, create: boolean): Promise<FileSystemSyncAccessHandle | null> {
    const handle = await this.#folder?.getFileHandle(`${sourceId}.pcm`, { create });
    return handle ? openFile(handle) : null;
  }

  close(): void {
    for (const journal of this.#journals.values()) journal.close();
  }

  /** Gives the space back. */
  async remove(): Promise<void> {
    this.close();
    if (this.#folder) await removeSessionFolder(JOURNALS, this.#sessionId);
  }
}

/** Null where the browser has no files of its own, or none that can be written at once. */
async function openFolder(sessionId: SessionId): Promise<FileSystemDirectoryHandle | null> {
  const handle = (globalThis as { FileSystemFileHandle?: typeof FileSystemFileHandle }).FileSystemFileHandle;
  if (!handle || !('createSyncAccessHandle' in handle.prototype)) return null;
  return openSessionFolder(JOURNALS, sessionId);
}

/**
 * Removes what is left of recordings that are finished, as after a crash between the two. Nothing where the browser has no
 * files of its own, as in a page that is no secure context.
 */
export async function sweepJournals(database: UnisonoDatabase): Promise<void> {
  if (!('storage' in navigator && 'getDirectory' in navigator.storage && 'locks' in navigator)) return;
  const root = await navigator.storage.getDirectory();
  const journals = await root.getDirectoryHandle(JOURNALS).catch(() => null);
  if (!journals) return;
  const sessions: SessionId[] = [];
  for await (const name of journals.keys()) sessions.push(name as SessionId);
  for (const sessionId of sessions) {
    // Whoever begins to record makes the folder before the record, and holds this lock.
    await navigator.locks.request(LOCKS.recording(sessionId), { ifAvailable: true }, async (lock) => {
      if (lock && !(await database.getKey('recordings', sessionId)))
        await removeSessionFolder(JOURNALS, sessionId);
    });
  }
}
