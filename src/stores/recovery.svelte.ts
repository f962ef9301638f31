import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { RecoveryHandlers } from '@src/capture/capture-session.ts';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import {
  isUnfinished,
  restoreMeeting,
  unfinishedRecordings,
  whenAbandoned,
} from '@src/storage/recordings.ts';
import type { CaptureStarter, Engine } from './engine.ts';
import type { EngineStatusStore } from './engine-status.svelte.ts';
import type { SettingsStore } from './settings.svelte.ts';

export interface RecoveryParts {
  readonly engine: Pick<Engine, 'tab' | 'openPort'>;
  readonly capture: Pick<CaptureStarter, 'recover'>;
  readonly database: Promise<UnisonoDatabase>;
  readonly settings: SettingsStore;
  readonly status: EngineStatusStore;
  readonly onError: (error: UnisonoError) => void;
  /** This tab has begun to finish the recording. */
  readonly onBegin: (id: SessionId) => void;
  /** It could not be finished. */
  readonly onFailed: () => void;
  /** Nobody feeds the session any more, and nothing is left to finish. */
  readonly onOver: (id: SessionId) => Promise<void>;
}

interface Progress {
  readonly doneMs: number;
  readonly totalMs: number;
}

/**
 * Recordings whose tab died, however it died: one of the tabs that are left finishes each from its journal. It learns of
 * the death by the lock that went with the tab, so that a recording that still runs somewhere is left alone.
 */
export class RecoveryStore {
  readonly #parts: RecoveryParts;
  readonly #watched = new SvelteSet<SessionId>();
  readonly #failed = new SvelteSet<SessionId>();
  readonly #running = new SvelteMap<SessionId, Readonly<Record<SourceId, Progress>>>();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** The recordings that this tab finishes. */
  get running(): readonly SessionId[] {
    return [...this.#running.keys()];
  }

  /** This tab could not finish the recording. What is stored of it stays. */
  hasFailed(id: SessionId): boolean {
    return this.#failed.has(id);
  }

  /** Of all of them: how much is read again, and how much of that is done. Nothing is known before an engine comes. */
  get progress(): Progress {
    const all = [...this.#running.values()].flatMap((sources) => Object.values(sources));
    return {
      doneMs: all.reduce((sum, { doneMs }) => sum + doneMs, 0),
      totalMs: all.reduce((sum, { totalMs }) => sum + totalMs, 0),
    };
  }

  /** Looks for recordings that are not finished, and watches them. `except` those of this tab. */
  async check(except: (id: SessionId) => boolean): Promise<void> {
    try {
      const ids = await unfinishedRecordings(await this.#parts.database);
      for (const id of ids) if (!except(id)) this.watch(id);
    } catch (error) {
      this.#parts.onError(toUnisonoError(error, 'storage-failed'));
    }
  }

  /** Waits for the end of a session that another tab feeds, and finishes it if that tab does not. */
  watch(id: SessionId): void {
    // What could not be finished is tried again by the next page, not by this one without end.
    if (this.#watched.has(id)) return;
    this.#watched.add(id);
    whenAbandoned(id, () => this.#take(id)).catch((error: unknown) => {
      this.#failed.add(id);
      this.#parts.onFailed();
      this.#parts.onError(toUnisonoError(error));
    });
  }

  async #take(id: SessionId): Promise<void> {
    const { engine, capture, database, settings, status, onBegin, onOver } = this.#parts;
    if (await isUnfinished(await database, id)) {
      const { keepAudio } = settings.current;
      const config = { sessionId: id, tab: engine.tab };
      await restoreMeeting(await database, id);
      this.#running.set(id, {});
      onBegin(id);
      try {
        await capture.recover(config, engine.openPort(id), keepAudio, this.#handlers(id));
      } finally {
        this.#running.delete(id);
        status.endSession(id);
      }
    }
    this.#watched.delete(id);
    await onOver(id);
  }

  #handlers(id: SessionId): RecoveryHandlers {
    const { status, onError } = this.#parts;
    return {
      progress: ({ sourceId, doneMs, totalMs }) => {
        const progress = { doneMs, totalMs: totalMs ?? doneMs };
        this.#running.set(id, { ...this.#running.get(id), [sourceId]: progress });
      },
      vad: (change) => status.setVad(change),
      warning: onError,
      backlog: (backlog) => status.setBacklog(id, backlog),
      health: (entry) => status.addHealth(entry),
    };
  }
}
