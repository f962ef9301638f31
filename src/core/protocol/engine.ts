import type { SegmentTranslation, TranslationView } from '../translation/types.ts';
import type { Language, Segment } from '../transcript/types.ts';
import type { WireError } from './errors.ts';
import type { Epoch, SampleIndex, SegmentId, SessionId, SourceId, TabId } from './ids.ts';
import type { SourceKind, SpeechAcknowledged, SpeechMessage } from './audio.ts';

/** Recognizers the app can run. `auto` picks by the ticked languages and what this device measured. */
export const RECOGNIZER_IDS = ['whisper-tiny', 'whisper-base', 'whisper-small', 'moonshine-tiny'] as const;
export type RecognizerId = (typeof RECOGNIZER_IDS)[number];

/** Translation models, named by their direction. */
export const TRANSLATOR_IDS = [
  'opus-mt-en-es',
  'opus-mt-en-fr',
  'opus-mt-en-zh',
  'opus-mt-es-en',
  'opus-mt-fr-en',
  'opus-mt-zh-en',
  'opus-mt-es-fr',
  'opus-mt-fr-es',
] as const;
export type TranslatorId = (typeof TRANSLATOR_IDS)[number];

/** What tells who speaks when: where in 10 s somebody speaks, and whose voice it is. */
export const SPEAKER_MODEL_IDS = ['pyannote-segmentation-3.0', 'wespeaker-resnet34-lm'] as const;
export type SegmentationId = (typeof SPEAKER_MODEL_IDS)[0];
export type SpeakerEmbeddingId = (typeof SPEAKER_MODEL_IDS)[1];
export type SpeakerModelId = SegmentationId | SpeakerEmbeddingId;

/** Models that the engine loads. */
export type ModelId = RecognizerId | TranslatorId | SpeakerModelId;

export const isRecognizer = (model: ModelId): model is RecognizerId =>
  (RECOGNIZER_IDS as readonly ModelId[]).includes(model);

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
  /**
   * Set when the tab that recorded died: from this sample on the speech is read again from the journal, behind
   * what is live, and its segments are marked as recovered.
   */
  readonly recoveredFrom?: SampleIndex;
}

/** Everything an engine needs to go on with a session, whichever engine had it before. */
export interface SessionConfig {
  readonly sessionId: SessionId;
  readonly settings: RecognitionSettings;
  /** Sources so far; more may follow. */
  readonly sources: readonly SourceDescription[];
}

/** How far a session is stored: what the sender need not send (again). */
export interface SessionProgress {
  readonly acknowledged: readonly { readonly sourceId: SourceId; readonly upTo: SampleIndex }[];
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
  readonly model: ModelId;
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

/** More of a segment is translated; replaces what was said of it before. Sent to every tab, whatever it shows. */
export interface TranslationEvent {
  readonly type: 'translation';
  readonly sessionId: SessionId;
  readonly translation: SegmentTranslation;
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

/** Words are not stored at the moment, or are again (`error` null); none is lost: they stay in the journal. */
export interface StorageEvent {
  readonly type: 'storage';
  readonly error: WireError | null;
}

/** A session began, or is over: nothing more comes of it. */
export interface SessionEvent {
  readonly type: 'session';
  readonly sessionId: SessionId;
  /** The tab that feeds it. */
  readonly tab: TabId;
  readonly state: 'open' | 'closed';
}

/** Engine → page. A pure reducer folds these into a Transcript. */
export type EngineEvent =
  | PartialEvent
  | SegmentEvent
  | SegmentDroppedEvent
  | TranslationEvent
  | LagEvent
  | ModelEvent
  | HealthEvent
  | StorageEvent
  | SessionEvent;

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

/** Of a session no engine has read anything of. */
export const NOTHING_DONE: SessionStatistics = {
  partialCalls: 0,
  finalCalls: 0,
  decodedAudioS: 0,
  utterances: 0,
  dropped: 0,
};

/** What the health panel shows of the engine. */
export interface EngineReport {
  readonly epoch: Epoch;
  readonly tab: TabId;
  readonly build: number;
  readonly sinceMs: number;
  /** Loads of models since this engine began; one per model unless it was released or failed. */
  readonly loads: readonly {
    readonly model: ModelId;
    readonly loadMs: number;
    readonly bytes: number;
  }[];
  /** Weights in memory now. */
  readonly modelBytes: number;
  readonly clients: number;
  readonly sessions: readonly {
    readonly sessionId: SessionId;
    readonly tab: TabId;
    readonly lagMs: number;
  }[];
  readonly queued: number;
}

/**
 * What the engine does for the threads of any tab. All methods are idempotent: a call that was cut off by a change of
 * the owner is made again on the next one.
 */
export interface EngineApi {
  /** Loads the model if need be; callers at the same time share one load. */
  prepare(model: ModelId): Promise<ModelStatus>;
  models(): Promise<readonly ModelStatus[]>;
  health(): Promise<readonly HealthEntry[]>;
  report(): Promise<EngineReport>;
  /** Runs the self-test again, as after a driver update. */
  retest(model: ModelId): Promise<ModelStatus>;
  /** Sessions that are open, for a tab that opens later. */
  sessions(): Promise<readonly Omit<SessionEvent, 'type' | 'state'>[]>;

  /**
   * What the calling thread reads from now on; null: nothing. Models are loaded as its sentences need them. What is
   * not translated yet, live or stored, comes as {@link TranslationEvent}s, newest first. The view ends with the thread
   * and with the engine: tell the next engine again.
   */
  translate(view: TranslationView | null): Promise<void>;

  /**
   * Opens the session, or goes on with one that an earlier engine or a dead tab left. From another client it
   * takes the session over. Send no speech before it resolves.
   */
  openSession(config: SessionConfig): Promise<SessionProgress>;
  /** Call before the source's first speech is sent. */
  addSource(sessionId: SessionId, source: SourceDescription): Promise<void>;
  updateSession(sessionId: SessionId, settings: RecognitionSettings): Promise<void>;
  /** In order; sent as an event, no reply. Speech of an unknown session is ignored. */
  speech(sessionId: SessionId, message: SpeechMessage): void;
  /** Resolves when every utterance received is final and stored. */
  closeSession(sessionId: SessionId): Promise<SessionStatistics>;
  /** Tests make the model's next call fail as named; only in builds with `__TEST_HOOKS__`. */
  injectFault?(model: ModelId, fault: FaultKind): Promise<void>;
}

export type FaultKind = 'gpu-lost' | 'out-of-memory' | 'exception' | 'worker-gone';

/** Engine worker → a thread of a tab. */
export interface EngineEvents {
  /** To pages. In other tabs than the engine's it comes over the control channel. */
  event(event: EngineEvent): void;
  /** To the capture worker that feeds the session. Sent only after what it covers is stored. */
  acknowledged(sessionId: SessionId, message: SpeechAcknowledged): void;
}
