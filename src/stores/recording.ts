import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { CaptureSession, SourceRequest } from '@src/capture/capture-session.ts';

/** What the recorder holds of the recording that runs. */
export interface Recording {
  readonly id: SessionId;
  readonly startedAtMs: number;
  readonly capture: CaptureSession;
  /** What is captured now. */
  readonly requests: Map<SourceId, SourceRequest>;
  /** Told to have ended before they were known here, as a file that is read at once. */
  readonly endedEarly: Set<SourceId>;
  /** Settles when the last word is final. */
  readonly over: PromiseWithResolvers<void>;
}

export const newRecording = (id: SessionId, capture: CaptureSession): Recording => ({
  id,
  startedAtMs: Date.now(),
  capture,
  requests: new Map(),
  endedEarly: new Set(),
  over: Promise.withResolvers(),
});
