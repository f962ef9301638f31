import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { SourceRequest } from '@src/capture/capture-session.ts';
import type { Capture } from './engine.ts';

/** What the recorder holds of a recording, until its last word is stored. */
export interface Recording {
  readonly id: SessionId;
  readonly startedAtMs: number;
  readonly capture: Capture;
  /** What is captured now. */
  readonly requests: Map<SourceId, SourceRequest>;
  /** Told to have ended before they were known here, as a file that is read at once. */
  readonly endedEarly: Set<SourceId>;
  /** Settles when the last word is stored. */
  readonly over: PromiseWithResolvers<void>;
}

export const newRecording = (id: SessionId, capture: Capture): Recording => ({
  id,
  startedAtMs: Date.now(),
  capture,
  requests: new Map(),
  endedEarly: new Set(),
  over: Promise.withResolvers(),
});
