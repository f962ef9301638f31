import type { WireError } from './errors.ts';
import type { HealthEntry, RecognitionSettings, SessionStatistics, SourceDescription } from './engine.ts';
import type { SessionId, SourceId, TabId } from './ids.ts';

/** Which voice detector is running: each falls to the next when it cannot load or fails. */
export const VAD_TIERS = ['silero-v6', 'silero-legacy', 'energy'] as const;
export type VadTier = (typeof VAD_TIERS)[number];

/** Where the recorded audio is kept until it is final: on disk, or in memory where there is no disk to be had. */
export type JournalKind = 'opfs' | 'memory';

export interface CaptureConfig {
  readonly sessionId: SessionId;
  readonly tab: TabId;
  readonly settings: RecognitionSettings;
}

/** Page → capture worker. */
export interface CaptureApi {
  /**
   * Opens a session: takes its lock, its journal, and the detector. Needs no engine: what is recorded waits in the journal.
   * @param engine port to the engine worker of this tab, for when that is the owner
   */
  open(config: CaptureConfig, engine: MessagePort): Promise<{ vadTier: VadTier; journal: JournalKind }>;
  /** A live source: `pcm` is the worklet's port. */
  addLive(source: SourceDescription, pcm: MessagePort): Promise<void>;
  /** A file: decoded and gated here; resolves when its last sample has been gated. */
  addFile(source: SourceDescription, file: File): Promise<void>;
  /** Holds for the utterances that follow. */
  updateSettings(settings: RecognitionSettings): Promise<void>;
  /** Ends a source: its open utterance is closed and sent. */
  endSource(sourceId: SourceId): Promise<void>;
  /** While paused, blocks are dropped and the clock stands still; an open utterance is closed. */
  setPaused(paused: boolean): Promise<void>;
  /** Ends all sources. */
  close(): Promise<void>;
  /**
   * After {@link close}: resolves when every word is final and stored, however long an engine takes to come. Then the audio
   * is kept as Opus, or deleted and its space given back.
   */
  finish(keepAudio: boolean): Promise<SessionStatistics>;
  /**
   * Instead of {@link open}: goes on with a recording whose tab died. Reads what was not stored from the journal and
   * finishes it; `progress` tells how far. False when another tab recovers it already or nothing is left of it.
   */
  recover(
    config: Pick<CaptureConfig, 'sessionId' | 'tab'>,
    engine: MessagePort,
    keepAudio: boolean,
  ): Promise<boolean>;
  /** Tests make the running detector's next step fail; only in builds with `__TEST_HOOKS__`. */
  failVad?(): Promise<void>;
}

/** Capture worker → page. */
export interface CaptureEvents {
  /** For the meter, about 30 a second. `peak` and `rms` are in [0, 1]. */
  level(level: { sourceId: SourceId; rms: number; peak: number; speech: boolean }): void;
  /** File import and recovery: ms of media gated so far, and in all where that is known. */
  progress(progress: { sourceId: SourceId; doneMs: number; totalMs: number | null }): void;
  /** Speech that no engine has made final yet, ms, and whether an engine is there to do so. At changes, at most once a second. */
  backlog(backlog: { speechMs: number; attached: boolean }): void;
  vad(change: { tier: VadTier; reason: string | null }): void;
  sourceFailed(failure: { sourceId: SourceId; error: WireError }): void;
  /** Recording goes on, but: the disk is nearly full (`storage-low`), or full and memory is used (`storage-full`). */
  warning(error: WireError): void;
  health(entry: HealthEntry): void;
}
