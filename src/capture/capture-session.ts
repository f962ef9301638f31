import type { SourceKind } from '@core/protocol/audio.ts';
import type { CaptureApi, CaptureEvents, VadTier } from '@core/protocol/capture.ts';
import type { HealthEntry, SourceDescription } from '@core/protocol/engine.ts';
import { fromWire, toUnisonoError, UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
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
  vad(change: { tier: VadTier; reason: string | null }): void;
  /** `error` is null when a file was read to its end or the user removed the source. */
  sourceEnded(ended: { sourceId: SourceId; error: UnisonoError | null }): void;
  /** Recording goes on or can be resumed: track muted, audio suspended. */
  warning(error: UnisonoError): void;
  health(entry: HealthEntry): void;
}

interface Source {
  readonly kind: SourceKind;
  /** Stops what the page holds for it. */
  release(): void;
}

type Worker_ = ReturnType<typeof createRpc<CaptureApi, CaptureEvents>>;

/**
 * One recording, page side: opens microphones, tabs and files and hands them to the capture worker, which
 * gates them and sends the speech to the engine. Each source that ends is told once through `sourceEnded`.
 */
export class CaptureSession {
  readonly #worker: Worker;
  readonly #capture: Worker_;
  readonly #handlers: CaptureHandlers;
  readonly #sources = new Map<SourceId, Source>();
  readonly #clock = new SessionClock();
  /** A file's first report of progress: it is audio and is being read. */
  readonly #opening = new Map<SourceId, () => void>();
  #graph: AudioGraph | null = null;

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
      vad: (change) => handlers.vad(change),
      sourceFailed: ({ sourceId, error }) => this.#ended(sourceId, fromWire(error)),
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
   * Starts the capture worker and its voice detector.
   * @param speech the session's channel to the engine; moved to the worker
   */
  static async start(
    sessionId: SessionId,
    speech: MessagePort,
    handlers: CaptureHandlers,
  ): Promise<CaptureSession> {
    const session = new CaptureSession(handlers);
    try {
      await session.#capture.open(sessionId, speech);
      return session;
    } catch (thrown) {
      session.#worker.terminate();
      throw toUnisonoError(thrown);
    }
  }

  /**
   * Opens a source; it records when this resolves.
   * @throws {UnisonoError} `microphone-*`, `share-*`, `file-*`, `capture-unsupported`
   */
  async addSource(request: SourceRequest): Promise<SourceDescription> {
    const sourceId = crypto.randomUUID() as SourceId;
    if (request.kind === 'file') await this.#addFile(sourceId, request.file);
    else await this.#addLive(sourceId, request);
    return { sourceId, kind: request.kind, offsetMs: this.#clock.sourceOffsetMs() };
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

  /** Closes open utterances, releases microphone, share and worker. */
  async stop(): Promise<void> {
    try {
      await this.#capture.close();
    } finally {
      for (const sourceId of [...this.#sources.keys()]) this.#ended(sourceId, null);
      this.#worker.terminate();
      this.#capture.$close();
      await this.#graph?.close();
    }
  }

  async #addFile(sourceId: SourceId, file: File): Promise<void> {
    const opened = new Promise<void>((resolve) => this.#opening.set(sourceId, resolve));
    this.#sources.set(sourceId, { kind: 'file', release: () => undefined });
    const imported = this.#capture.addFile(sourceId, file);
    try {
      await Promise.race([opened, imported]);
    } catch (thrown) {
      this.#sources.delete(sourceId);
      throw toUnisonoError(thrown);
    } finally {
      this.#opening.delete(sourceId);
    }
    void imported.then(
      () => this.#ended(sourceId, null),
      (error: unknown) => this.#ended(sourceId, toUnisonoError(error)),
    );
  }

  async #addLive(sourceId: SourceId, request: Exclude<SourceRequest, { kind: 'file' }>): Promise<void> {
    const stream = request.kind === 'microphone' ? await openMicrophone(request) : await openTabAudio();
    let tap: Tap | null = null;
    const release = () => {
      tap?.disconnect();
      for (const track of stream.getTracks()) track.stop();
    };
    try {
      this.#graph ??= new AudioGraph((error) => this.#handlers.warning(error));
      tap = await this.#graph.tap(stream);
      await this.#capture.addLive(sourceId, tap.pcm);
    } catch (thrown) {
      release();
      throw toUnisonoError(thrown);
    }
    this.#sources.set(sourceId, { kind: request.kind, release });
    this.#watch(sourceId, request.kind, stream);
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
