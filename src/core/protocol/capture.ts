import type { WireError } from './errors.ts';
import type { HealthEntry } from './engine.ts';
import type { SessionId, SourceId } from './ids.ts';

/** Which voice detector is running: each falls to the next when it cannot load or fails. */
export const VAD_TIERS = ['silero-v6', 'silero-legacy', 'energy'] as const;
export type VadTier = (typeof VAD_TIERS)[number];

/** Page → capture worker. */
export interface CaptureApi {
  /** `speech` is the session's channel to the engine. Loads the detector. */
  open(sessionId: SessionId, speech: MessagePort): Promise<{ vadTier: VadTier }>;
  /** A live source: `pcm` is the worklet's port. */
  addLive(sourceId: SourceId, pcm: MessagePort): Promise<void>;
  /** A file: decoded and gated here; resolves when its last sample has been gated. */
  addFile(sourceId: SourceId, file: File): Promise<void>;
  /** Ends a source: its open utterance is closed and sent. */
  endSource(sourceId: SourceId): Promise<void>;
  /** While paused, blocks are dropped and the clock stands still; an open utterance is closed. */
  setPaused(paused: boolean): Promise<void>;
  close(): Promise<void>;
  /** Tests make the running detector's next step fail; only in builds with `__TEST_HOOKS__`. */
  failVad?(): Promise<void>;
}

/** Capture worker → page. */
export interface CaptureEvents {
  /** For the meter, about 30 a second. `peak` and `rms` are in [0, 1]. */
  level(level: { sourceId: SourceId; rms: number; peak: number; speech: boolean }): void;
  /** File import: ms of media gated so far, and in all where the container says. */
  progress(progress: { sourceId: SourceId; doneMs: number; totalMs: number | null }): void;
  vad(change: { tier: VadTier; reason: string | null }): void;
  sourceFailed(failure: { sourceId: SourceId; error: WireError }): void;
  health(entry: HealthEntry): void;
}
