import type {
  FaultKind,
  ModelId,
  RecognizerId,
  RungId,
  SegmentationId,
  SpeakerEmbeddingId,
  TranslatorId,
} from '@core/protocol/engine.ts';
import type { WireError } from '@core/protocol/errors.ts';
import type { Embedding } from '@core/speakers/embedding.ts';
import type { Language, Word } from '@core/transcript/types.ts';

/** What one call of a recognizer read. Times are ms from the start of the audio given. */
export interface Hypothesis {
  readonly language: Language;
  /** Of the language among those that may be spoken; 1 when it is fixed. */
  readonly languageProbability: number;
  readonly words: readonly Word[];
  /** Mean natural-log probability of the words' tokens, end of text included; null if unknown. */
  readonly averageLogProbability: number | null;
  /** Null where the model gives none, and with a context, which is speech. */
  readonly noSpeechProbability: number | null;
  /** Tokens decoded, without prompt and end of text. */
  readonly tokens: number;
  /** Stopped by the token limit instead of by the end of text. */
  readonly truncated: boolean;
  readonly decodeMs: number;
}

/** What was said just before an utterance. Recognizers read short pieces of speech badly on their own. */
export interface SpokenContext {
  /** Mono 16 kHz; ends where the utterance's audio begins. */
  readonly audio: Float32Array;
  /** What was read from it; their times do not matter. */
  readonly words: readonly Word[];
}

export interface RecognizeOptions {
  /** Languages that may be spoken. One means fixed. */
  readonly languages: readonly Language[];
  /** Ask for word times; costs the decoder's cross-attentions. */
  readonly wordTimestamps: boolean;
  /** 0 is greedy. Above 0 samples, for the retry of a degenerate result. */
  readonly temperature: number;
  /** Read again along with the audio; the hypothesis holds only what follows it. */
  readonly context?: SpokenContext | null;
}

export interface TranslateOptions {
  /** Second try after a degenerate answer: no three tokens in a row twice, and repeated tokens cost. */
  readonly careful: boolean;
}

/** What a translator made of one sentence. */
export interface TranslatedText {
  readonly text: string;
  /** Tokens decoded, without the end of text. */
  readonly tokens: number;
  /** Stopped by the token limit instead of by the end of text. */
  readonly truncated: boolean;
  readonly decodeMs: number;
}

export interface LoadReport {
  readonly loadMs: number;
  /** ONNX sessions created by this load. */
  readonly sessionsCreated: number;
  /** Of the graphs that were read. */
  readonly bytes: number;
}

/** How a loaded model did on what is known: a translator on a sentence, the others on the known-answer clip. */
export interface SelfTestReport {
  /** What it made of it. */
  readonly text: string;
  /** A recognizer: all words of the clip and no others; case and punctuation do not matter. */
  readonly right: boolean;
  /** Wall time of this one warm decode, ms. */
  readonly decodeMs: number;
}

/** What tests count in a worker. */
export interface InferenceCounters {
  /** Model steps (encoder runs and decoder runs) since the worker began. */
  readonly steps: number;
  /** Tensors in use: 0 between calls. */
  readonly liveTensors: number;
}

/** Engine worker → inference worker. One inference worker runs one device configuration. */
export interface InferenceApi {
  /** Threads of the WASM backend; fixed for the worker's life. */
  configure(options: {
    threads: number;
    device: 'wasm' | 'webgpu';
    /** Web Lock to hold for life: it is free once the worker is gone, however that happened. */
    lifeLock?: string;
  }): Promise<void>;
  load(model: ModelId, rung: RungId): Promise<LoadReport>;
  /** Audio is mono 16 kHz, with its context at most 29 s. Rejects with `aborted` after {@link cancel}. */
  recognize(
    callId: number,
    model: RecognizerId,
    audio: Float32Array,
    options: RecognizeOptions,
  ): Promise<Hypothesis>;
  /** One sentence a call: the exported graphs do not freeze the rows of a batch that have ended. */
  translate(
    callId: number,
    model: TranslatorId,
    text: string,
    options: TranslateOptions,
  ): Promise<TranslatedText>;
  /**
   * Who speaks when in a window of at most 10 s, mono 16 kHz: log-probabilities of the powerset's 7 classes, frame after
   * frame (`core/speakers/powerset`).
   */
  segment(callId: number, model: SegmentationId, samples: Float32Array): Promise<Float32Array>;
  /** The voice of one speaker, 0.5 to 29 s of speech: a vector of length 1. */
  embed(callId: number, model: SpeakerEmbeddingId, samples: Float32Array): Promise<Embedding>;
  /** Stops a call before its next model step. */
  cancel(callId: number): Promise<void>;
  /** Runs what is known through a loaded model. */
  selfTest(model: ModelId): Promise<SelfTestReport>;
  unload(model: ModelId): Promise<void>;
  /** Gives back every model and the GPU device: the worker's end. */
  release(): Promise<void>;
  /** The next model step fails like this; only in builds with `__TEST_HOOKS__`. */
  injectFault?(fault: Exclude<FaultKind, 'worker-gone'>): Promise<void>;
  /** Only in builds with `__TEST_HOOKS__`. */
  counters?(): Promise<InferenceCounters>;
}

/** Inference worker → engine worker. */
export interface InferenceEvents {
  progress(model: ModelId, file: string, loadedBytes: number, totalBytes: number): void;
  gpuLost(reason: string): void;
  /** A model works but could not be kept for the next time. */
  notStored(error: WireError): void;
}
