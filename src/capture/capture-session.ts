import type { SourceKind } from '@core/protocol/audio.ts';
import type {
  CaptureApi,
  CaptureConfig,
  CaptureEvents,
  JournalKind,
  VadTier,
} from '@core/protocol/capture.ts';
import type {
  HealthEntry,
  RecognitionSettings,
  SessionStatistics,
  SourceDescription,
} from '@core/protocol/engine.ts';
import { fromWire, toUnisonoError, UnisonoError } from '@core/protocol/errors.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { AudioGraph, type Tap } from './audio-graph.ts';
import { microphoneMuted, microphoneUnplugged, openMicrophone } from './microphone.ts';
import { SessionClock } from './session-clock.ts';
import { openTabAudio, shareEnded } from './tab-audio.ts';

export type SourceRequest =
  | {
      kind: 'microphone';
      deviceId?: string;
      echoCancellation: boolean;
      noiseSuppression: boolean;
      autoGainControl: boolean;
    }
  | { kind: 'tab' }
  | { kind: 'file'; file: File };

export interface CaptureHandlers {
  /** About 30 a second for each live source; `rms` and `peak` in [0, 1]. */
  level(level: { sourceId: SourceId; rms: number; peak: number; speech: boolean }): void;
  progress(progress: { sourceId: SourceId; doneMs: number; totalMs: number | null }): void;
  /** Speech that no engine has made final yet, ms, and whether an engine is there to do so. */
  backlog(backlog: { speechMs: number; attached: boolean }): void;
  vad(change: { tier: VadTier; reason: string | null }): void;
  /** `error` is null when a file was read to its end or the user removed the source. */
  sourceEnded(ended: { sourceId: SourceId; error: UnisonoError | null }): void;
  /** Recording goes on or can be resumed: track muted, audio suspended, disk nearly full. */
  warning(error: UnisonoError): void;
  health(entry: HealthEntry): void;
}

interface Source {
  readonly kind: SourceKind;
  /** Stops what the page holds for it. */
  release(): void;
}

type Worker_ = ReturnType<typeof createRpc<CaptureApi, CaptureEvents>>;

/** What the page is told while a recording is recovered: nothing of devices. */
export type RecoveryHandlers = Omit<CaptureHandlers, 'level' | 'sourceEnded'>;

/**
 * One recording, page side: opens microphones, tabs and files and hands them to the capture worker, which keeps and
 * gates them and sends the speech to the engine by itself. Each source that ends is told once through `sourceEnded`.
 */
export class CaptureSession {
  readonly #worker: Worker;
  readonly #capture: Worker_;
  readonly #handlers: CaptureHandlers;
  readonly #sources = new Map<SourceId, Source>();
  /** A file's first report of progress: it is audio and is being read. */
  readonly #opening = new Map<SourceId, () => void>();
  readonly #clock = new SessionClock();
  /** Whether a source has recorded: the clock runs. */
  #begun = false;
  #graph: AudioGraph | null = null;
  #journal: JournalKind = 'memory';

  private constructor(handlers: CaptureHandlers) {
    this.#handlers = handlers;
    this.#worker = new Worker(new URL('../../workers/capture/capture.worker.ts', import.meta.url), {
      type: 'module',
    });
    this.#capture = createRpc<CaptureApi, CaptureEvents>(this.#worker, {
      level: (level) => handlers.level(level),
      progress: (progress) => {
        this.#opening.get(progress.sourceId)?.();
        handlers.progress(progress);
      },
      backlog: (backlog) => handlers.backlog(backlog),
      vad: (change) => handlers.vad(change),
      sourceFailed: ({ sourceId, error }) => this.#ended(sourceId, fromWire(error)),
      warning: (error) => handlers.warning(fromWire(error)),
      health: (entry) => handlers.health(entry),
    });
    this.#worker.addEventListener('error', (event) => {
      const error = new UnisonoError(
        'internal',
        'Recording stopped: its worker failed. What was recorded is kept. Record again.',
        {
          cause: event.message,
        },
      );
      this.#capture.$close(error);
      for (const sourceId of [...this.#sources.keys()]) this.#ended(sourceId, error);
    });
  }

  /**
   * Starts the capture worker with its journal and its voice detector. Needs no engine.
   * @param engine port to this tab's engine worker; moved to the capture worker
   */
  static async start(
    config: CaptureConfig,
    engine: MessagePort,
    handlers: CaptureHandlers,
  ): Promise<CaptureSession> {
    const session = new CaptureSession(handlers);
    try {
      session.#journal = (await session.#capture.open(config, engine)).journal;
      return session;
    } catch (thrown) {
      session.#terminate();
      throw toUnisonoError(thrown);
    }
  }

  /**
   * Finishes a recording whose tab died; resolves when every word of it is stored, however long an engine takes to come.
   * @returns false when another tab does so already or nothing is left of it
   */
  static async recover(
    config: Pick<CaptureConfig, 'sessionId' | 'tab'>,
    engine: MessagePort,
    keepAudio: boolean,
    handlers: RecoveryHandlers,
  ): Promise<boolean> {
    const nothing = () => undefined;
    const session = new CaptureSession({ ...handlers, level: nothing, sourceEnded: nothing });
    try {
      return await session.#capture.recover(config, engine, keepAudio);
    } catch (thrown) {
      throw toUnisonoError(thrown);
    } finally {
      session.#terminate();
    }
  }

  /** Where what is recorded is kept until it is written down. A full disk is told as `storage-full` later. */
  get journal(): JournalKind {
    return this.#journal;
  }

  /**
   * Opens a source; it records when this resolves.
   * @throws {UnisonoError} `microphone-*`, `share-*`, `file-*`, `capture-unsupported`
   */
  async addSource(request: SourceRequest): Promise<SourceDescription> {
    const sourceId = crypto.randomUUID() as SourceId;
    return request.kind === 'file' ? this.#addFile(sourceId, request.file) : this.#addLive(sourceId, request);
  }

  /** Holds for the utterances that follow. */
  async updateSettings(settings: RecognitionSettings): Promise<void> {
    await this.#capture.updateSettings(settings);
  }

  /** Its open utterance is closed and sent. */
  async removeSource(sourceId: SourceId): Promise<void> {
    await this.#capture.endSource(sourceId);
    this.#ended(sourceId, null);
  }

  /** While paused the clock stands still; what is said is not recorded. An import waits. */
  async setPaused(paused: boolean): Promise<void> {
    this.#clock.setPaused(paused);
    if (!paused) this.#graph?.resume();
    await this.#capture.setPaused(paused);
  }

  /** Closes open utterances and releases microphone and share. What was said goes on to the engine. */
  async stop(): Promise<void> {
    try {
      await this.#capture.close();
    } finally {
      for (const sourceId of [...this.#sources.keys()]) this.#ended(sourceId, null);
      await this.#graph?.close();
      this.#graph = null;
    }
  }

  /**
   * After {@link stop}: resolves when every word is final and stored, however long an engine takes to come, and the sound is
   * kept or its space given back.
   */
  async finish(keepAudio: boolean): Promise<SessionStatistics> {
    try {
      return await this.#capture.finish(keepAudio);
    } catch (thrown) {
      throw toUnisonoError(thrown);
    } finally {
      this.#terminate();
    }
  }

  #terminate(): void {
    this.#worker.terminate();
    this.#capture.$close();
  }

  /** Where the source's first sample lies: a session that has recorded nothing begins with it. */
  #describe(sourceId: SourceId, kind: SourceKind): SourceDescription {
    if (!this.#begun) this.#clock.reset();
    return { sourceId, kind, offsetMs: this.#clock.sourceOffsetMs() };
  }

  async #addFile(sourceId: SourceId, file: File): Promise<SourceDescription> {
    const opened = new Promise<void>((resolve) => this.#opening.set(sourceId, resolve));
    this.#sources.set(sourceId, { kind: 'file', release: () => undefined });
    const description = this.#describe(sourceId, 'file');
    const imported = this.#capture.addFile(description, file);
    try {
      await Promise.race([opened, imported]);
    } catch (thrown) {
      this.#sources.delete(sourceId);
      throw toUnisonoError(thrown);
    } finally {
      this.#opening.delete(sourceId);
    }
    this.#begun = true;
    void imported.then(
      () => this.#ended(sourceId, null),
      (error: unknown) => this.#ended(sourceId, toUnisonoError(error)),
    );
    return description;
  }

  async #addLive(
    sourceId: SourceId,
    request: Exclude<SourceRequest, { kind: 'file' }>,
  ): Promise<SourceDescription> {
    const stream = request.kind === 'microphone' ? await openMicrophone(request) : await openTabAudio();
    let tap: Tap | null = null;
    const release = () => {
      tap?.disconnect();
      for (const track of stream.getTracks()) track.stop();
    };
    let description: SourceDescription;
    try {
      this.#graph ??= new AudioGraph((error) => this.#handlers.warning(error));
      tap = await this.#graph.tap(stream);
      description = this.#describe(sourceId, request.kind);
      await this.#capture.addLive(description, tap.pcm);
    } catch (thrown) {
      release();
      throw toUnisonoError(thrown);
    }
    this.#begun = true;
    this.#sources.set(sourceId, { kind: request.kind, release });
    this.#watch(sourceId, request.kind, stream);
    return description;
  }

  /** `ended` comes only when something other than this page ends a track. */
  #watch(sourceId: SourceId, kind: 'microphone' | 'tab', stream: MediaStream): void {
    const lost = kind === 'microphone' ? microphoneUnplugged : shareEnded;
    for (const track of stream.getTracks()) {
      track.addEventListener('ended', () => {
        if (!this.#sources.has(sourceId)) return;
        this.#ended(sourceId, lost());
        void this.#capture.endSource(sourceId).catch(() => undefined);
      });
      if (kind !== 'microphone') continue;
      track.addEventListener('mute', () => this.#handlers.warning(microphoneMuted()));
      if (track.muted) this.#handlers.warning(microphoneMuted());
    }
  }

  #ended(sourceId: SourceId, error: UnisonoError | null): void {
    const source = this.#sources.get(sourceId);
    if (!source) return;
    this.#sources.delete(sourceId);
    source.release();
    this.#handlers.sourceEnded({ sourceId, error });
  }
}
