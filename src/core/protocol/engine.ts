import type { Language, Segment } from '../transcript/types.ts';
import type { WireError } from './errors.ts';
import type { SegmentId, SessionId, SourceId } from './ids.ts';
import type { SourceKind } from './audio.ts';

/** Recognizers the app can run. `auto` picks by the ticked languages and what this device measured. */
export const RECOGNIZER_IDS = ['whisper-tiny', 'whisper-base', 'whisper-small', 'moonshine-tiny'] as const;
export type RecognizerId = (typeof RECOGNIZER_IDS)[number];

export interface RecognitionSettings {
  readonly recognizer: RecognizerId | 'auto';
  /** Languages that may be spoken, at least one. One means fixed; more means detected per utterance. */
  readonly languages: readonly Language[];
  /** Whisper writes traditional characters; most readers here expect simplified. */
  readonly chineseScript: 'simplified' | 'traditional';
}

export interface SourceDescription {
  readonly sourceId: SourceId;
  readonly kind: SourceKind;
  /** Where the source's sample 0 lies on the session's clock, ms. */
  readonly offsetMs: number;
}

export interface SessionConfig {
  readonly sessionId: SessionId;
  readonly settings: RecognitionSettings;
}

/** One step of the device ladder: where and in which precision a model runs. */
export type RungId = 'webgpu-fp16' | 'webgpu-fp32' | 'webgpu-q4' | 'webgpu-q8' | 'wasm-threads' | 'wasm';

/** How one rung did in the known-answer self-test on this device. */
export interface SelfTestResult {
  readonly rung: RungId;
  readonly outcome: 'right' | 'wrong' | 'failed' | 'skipped';
  /** What was read from the clip, or why it failed or was skipped. Never a user's words. */
  readonly note: string;
  /** Wall time of one warm decode of the clip, ms; null unless it ran. */
  readonly decodeMs: number | null;
  readonly loadMs: number | null;
  /** Threads of the WASM backend; absent where the rung has but one. */
  readonly threads?: number;
}

export interface ModelStatus {
  readonly model: RecognizerId;
  readonly state: 'absent' | 'downloading' | 'testing' | 'loading' | 'ready' | 'failed';
  /** Where it runs; null until chosen. */
  readonly rung: RungId | null;
  /** Bytes that have arrived and bytes in all, while downloading. */
  readonly progress: { readonly loadedBytes: number; readonly totalBytes: number } | null;
  readonly selfTest: readonly SelfTestResult[];
  readonly error: WireError | null;
}

/** A line of the health panel and the log. Never holds transcript text. */
export interface HealthEntry {
  readonly atMs: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly scope: 'engine' | 'model' | 'capture' | 'vad' | 'storage' | 'page';
  /** Stable and translated by the UI where a user should understand it. */
  readonly code: string;
  readonly message: string;
}

/** The utterance so far. */
export interface PartialEvent {
  readonly type: 'partial';
  readonly sessionId: SessionId;
  readonly segment: Segment;
}

/** The utterance complete: nothing of it changes any more. */
export interface SegmentEvent {
  readonly type: 'segment';
  readonly sessionId: SessionId;
  readonly segment: Segment;
}

/** The utterance held no words (noise, or text invented from silence): remove what was shown of it. */
export interface SegmentDroppedEvent {
  readonly type: 'segment-dropped';
  readonly sessionId: SessionId;
  readonly segmentId: SegmentId;
  readonly rev: number;
  readonly reason: 'no-speech' | 'low-confidence' | 'repetition' | 'hallucination' | 'empty' | 'cancelled';
}

/** How far the text is behind the speech. */
export interface LagEvent {
  readonly type: 'lag';
  readonly sessionId: SessionId;
  /** Ms of speech received and not yet final, of all sources. */
  readonly lagMs: number;
  readonly waitingUtterances: number;
}

export interface ModelEvent {
  readonly type: 'model';
  readonly status: ModelStatus;
}

export interface HealthEvent {
  readonly type: 'health';
  readonly entry: HealthEntry;
}

/** Engine → page. A pure reducer folds these into a Transcript. */
export type EngineEvent =
  PartialEvent | SegmentEvent | SegmentDroppedEvent | LagEvent | ModelEvent | HealthEvent;

/** What the engine did for a session; the benches read it. */
export interface SessionStatistics {
  /** Recognizer calls, by kind. */
  readonly partialCalls: number;
  readonly finalCalls: number;
  /** Seconds of audio handed to the recognizer, repeated audio counted each time. */
  readonly decodedAudioS: number;
  readonly utterances: number;
  readonly dropped: number;
}

/** Page → engine worker. */
export interface EngineApi {
  /** Loads the model if need be; callers at the same time share one load. */
  prepare(model: RecognizerId): Promise<ModelStatus>;
  openSession(config: SessionConfig, speech: MessagePort): Promise<void>;
  addSource(sessionId: SessionId, source: SourceDescription): Promise<void>;
  updateSession(sessionId: SessionId, settings: RecognitionSettings): Promise<void>;
  /** Resolves when every utterance received is final. */
  closeSession(sessionId: SessionId): Promise<SessionStatistics>;
  models(): Promise<readonly ModelStatus[]>;
  health(): Promise<readonly HealthEntry[]>;
  /** Runs the self-test again, as after a driver update. */
  retest(model: RecognizerId): Promise<ModelStatus>;
  /** Tests make the model's next call fail as named; only in builds with `__TEST_HOOKS__`. */
  injectFault?(model: RecognizerId, fault: FaultKind): Promise<void>;
}

export type FaultKind = 'gpu-lost' | 'out-of-memory' | 'exception' | 'worker-gone';

/** Engine worker → page. */
export interface EngineEvents {
  event(event: EngineEvent): void;
}
