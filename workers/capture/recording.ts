import type { CaptureConfig, CaptureEvents } from '@core/protocol/capture.ts';
import type { HealthEntry, SessionStatistics, SourceDescription } from '@core/protocol/engine.ts';
import { toUnisonoError, toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { openBroadcast } from '@core/tabs/broadcast-transport.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { wallClock } from '@core/util/clock.ts';
import { holdLock } from '@core/util/locks.ts';
import { keysOf, type StoredRecording, type UnisonoDatabase } from '@src/storage/database.ts';
import { JournalFolder } from './journal-folder.ts';
import type { Journal } from './journal.ts';
import { keepAudio } from './keep-audio.ts';
import { StorageGuard } from './storage-guard.ts';
import { Uplink } from './uplink.ts';

export interface RecordingEffects {
  readonly events: CaptureEvents;
  readonly database: Promise<UnisonoDatabase>;
  health(level: HealthEntry['level'], scope: HealthEntry['scope'], code: string, message: string): void;
  /** Everything of the source up to there is stored. */
  acknowledged(sourceId: SourceId): void;
}

/**
 * Takes the session for this worker's life.
 * @returns false when another has it
 */
export function holdRecording(sessionId: SessionId): Promise<boolean> {
  const locks = navigator.locks as LockManager | undefined;
  return locks ? holdLock(locks, LOCKS.recording(sessionId), { ifAvailable: true }) : Promise.resolve(true);
}

/** A session on this device: its journals, its record, and its way to the engine. */
export class Recording {
  readonly uplink: Uplink;
  readonly #config: CaptureConfig;
  readonly #effects: RecordingEffects;
  readonly #folder: JournalFolder;
  readonly #connection: EngineConnection;
  readonly #guard: StorageGuard | null;
  #record: StoredRecording;
  /** Settles when the record says what it should. */
  #recorded: Promise<void> = Promise.resolve();

  private constructor(
    config: CaptureConfig,
    sources: readonly SourceDescription[],
    folder: JournalFolder,
    engine: MessagePort,
    effects: RecordingEffects,
  ) {
    const { sessionId, tab, settings } = config;
    this.#config = config;
    this.#effects = effects;
    this.#folder = folder;
    this.#record = { sessionId, tab, settings, sources };
    this.#connection = new EngineConnection({
      tab,
      address: `capture/${sessionId}`,
      port: new PortTransport(engine),
      open: openBroadcast,
      clock: wallClock,
      events: {
        event: () => undefined,
        acknowledged: (_, message) => this.uplink.acknowledged(message),
      },
      onOwner: (owner) => this.uplink.ownerChanged(owner !== null),
    });
    this.uplink = new Uplink({
      sessionId,
      settings,
      connection: this.#connection,
      clock: wallClock,
      read: (sourceId, start, end) => this.journalOf(sourceId).read(start, end),
      acknowledged: (sourceId, upTo) => {
        folder.journals.get(sourceId)?.release(upTo);
        effects.acknowledged(sourceId);
      },
      backlog: (backlog) => effects.events.backlog(backlog),
      warn: (code, message) => effects.health('warning', 'capture', code, message),
    });
    for (const source of sources) this.uplink.addSource(source);
    this.#guard = this.#watchStorage();
    this.#save();
  }

  /** `sources`: those of a recording that another worker left behind. */
  static async open(
    config: CaptureConfig,
    sources: readonly SourceDescription[],
    engine: MessagePort,
    effects: RecordingEffects,
  ): Promise<Recording> {
    const mode = sources.length > 0 ? 'left' : 'new';
    const folder = await JournalFolder.open(config.sessionId, mode, (error) => {
      effects.events.warning(toWire(error));
      effects.health('error', 'storage', error.code, error.message);
    });
    for (const { sourceId } of sources) await folder.openJournal(sourceId, 'left');
    return new Recording(config, sources, folder, engine, effects);
  }

  get journalKind(): JournalFolder['kind'] {
    return this.#folder.kind;
  }

  /** @throws UnisonoError `internal` when it has no such source */
  journalOf(sourceId: SourceId): Journal {
    const journal = this.#folder.journals.get(sourceId);
    if (!journal) throw new UnisonoError('internal', `There is no journal of the source ${sourceId}.`);
    return journal;
  }

  async addSource(source: SourceDescription): Promise<Journal> {
    const journal = await this.#folder.openJournal(source.sourceId, 'new');
    this.#record = { ...this.#record, sources: [...this.#record.sources, source] };
    this.#save();
    this.uplink.addSource(source);
    return journal;
  }

  updateSettings(settings: CaptureConfig['settings']): void {
    this.#record = { ...this.#record, settings };
    this.#save();
    this.uplink.updateSettings(settings);
  }

  /** After the sources have ended. Leaves nothing but the text, and the sound if it is to be kept. */
  async finish(keep: boolean): Promise<SessionStatistics> {
    const statistics = await this.uplink.finish();
    this.#guard?.close();
    this.#connection.close();
    if (keep) await this.#keepAudio();
    try {
      await this.#recorded;
      await this.#forget();
      await this.#folder.remove();
    } catch (thrown) {
      const { message } = toUnisonoError(thrown);
      this.#effects.health('warning', 'storage', 'storage-failed', `Space was not given back: ${message}.`);
    }
    return statistics;
  }

  #watchStorage(): StorageGuard | null {
    if (this.#folder.kind === 'memory') return null;
    return new StorageGuard({
      clock: wallClock,
      estimate: () => navigator.storage.estimate(),
      sources: () => this.#folder.journals.size,
      warn: (error) => this.#effects.events.warning(toWire(error)),
    });
  }

  /** What another tab needs to finish the recording if this one dies. Recording does not wait for it. */
  #save(): void {
    const record = this.#record;
    this.#recorded = this.#recorded
      .then(async () => {
        await (await this.#effects.database).put('recordings', record);
      })
      .catch((thrown: unknown) => {
        const { message } = toUnisonoError(thrown);
        this.#effects.health(
          'warning',
          'storage',
          'storage-failed',
          `A crash could not be recovered: ${message}.`,
        );
      });
  }

  async #keepAudio(): Promise<void> {
    try {
      for (const [sourceId, journal] of this.#folder.journals)
        await keepAudio(this.#config.sessionId, sourceId, journal);
    } catch (thrown) {
      this.#effects.events.warning(
        toWire(
          new UnisonoError(
            'storage-failed',
            'The sound of this meeting could not be kept. Its text is complete.',
            { cause: thrown },
          ),
        ),
      );
    }
  }

  async #forget(): Promise<void> {
    const { sessionId } = this.#config;
    const database = await this.#effects.database;
    const transaction = database.transaction(['recordings', 'progress'], 'readwrite');
    await Promise.all([
      transaction.objectStore('recordings').delete(sessionId),
      transaction.objectStore('progress').delete(keysOf(sessionId)),
      transaction.done,
    ]);
  }
}
