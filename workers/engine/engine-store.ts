import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { StoredProgress } from '@src/storage/database.ts';

/** What an utterance came to. */
export interface SegmentCommit {
  readonly sessionId: SessionId;
  readonly segmentId: SegmentId;
  /** Null when it held no words. */
  readonly segment: Segment | null;
  /** Of its source, once this is stored. */
  readonly progress: StoredProgress;
}

/** Where the engine keeps the words, and what the next engine needs to go on. */
export interface EngineStore {
  progress(sessionId: SessionId): Promise<readonly StoredProgress[]>;
  /**
   * Stores segment and progress, both or none.
   * @throws UnisonoError `engine-changed` when another engine owns this device, then nothing was written;
   *   `storage-full`, `storage-failed`
   */
  commit(commit: SegmentCommit): Promise<void>;
}
