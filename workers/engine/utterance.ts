import { samplesToMs } from '@core/protocol/audio.ts';
import type { RecognitionSettings } from '@core/protocol/engine.ts';
import { sampleIndex, segmentIdOf, type SampleIndex, type SourceId } from '@core/protocol/ids.ts';
import type { DropReason } from '@core/transcript/hallucination.ts';
import { agree, conclude, NOTHING_HEARD, refuse, type Agreement } from '@core/transcript/local-agreement.ts';
import { shiftWord, type Language, type Segment, type Word } from '@core/transcript/types.ts';
import type { RecentSpeech } from './recent-speech.ts';
import { isAbort, type Decoded, type DecodeRequest, type DecodeTask } from './decoder.ts';
import type { SpokenContext } from './inference-protocol.ts';
import { UtteranceAudio } from './utterance-audio.ts';

export interface UtteranceEffects {
  decode(request: Omit<DecodeRequest, 'session'>): DecodeTask;
  now(): number;
  /** Higher than any before. */
  nextRev(): number;
  /** A call of that kind begins on that many samples. */
  counted(kind: 'partial' | 'final', samples: number): void;
  /** A call counted as final turned out to be a partial, or the other way round. */
  recounted(from: 'partial' | 'final', to: 'partial' | 'final'): void;
  partial(segment: Segment): void;
  /** `audio` is what the segment was read from. */
  final(segment: Segment, audio: Float32Array): void;
  dropped(reason: DropReason, rev: number): void;
  cancelled(rev: number): void;
  /** No model is left: the audio is kept until {@link Utterance.retry}. */
  held(): void;
}

export interface UtteranceDescription {
  readonly sourceId: SourceId;
  readonly start: SampleIndex;
  /** Where the source's sample 0 lies on the session's clock, ms. */
  readonly offsetMs: number;
  /** Live speech has partials; a file's utterances are decoded once, when nothing live waits. */
  readonly live: boolean;
  /** Read from the journal, not as it was said. */
  readonly recovered: boolean;
  /** What the same source said before. */
  readonly recent: RecentSpeech;
  /** What an engine before this one has shown of it: its committed words stay. */
  readonly shown?: Segment | null;
}

/** New audio that makes a partial worth its while: a second, and an eighth of what is read again with it. */
const LEAST_NEW_AUDIO_MS = 1000;
const LEAST_NEW_SHARE = 1 / 8;

/**
 * Partials keep the recognizer busy for at most 1 over this of the time. A final that finds one
 * running has to wait for its present step, and Whisper's encoder is more than half of a decode.
 */
const PARTIAL_COST_FACTOR = 2;

/**
 * Whisper tiny tells the ticked languages apart from two seconds on with less doubt than this; what it hears in
 * a shorter piece may be wrong.
 */
const SURE_LANGUAGE = 0.9;
const SURE_AFTER_MS = 2000;

type Role =
  /** While the utterance runs. */
  | 'partial'
  /** From a pause on: the final if nothing more is said. */
  | 'speculative'
  | 'final';

interface Running {
  role: Role;
  /** Began as a final: a doubtful reading has had its second try. */
  readonly thorough: boolean;
  readonly task: DecodeTask;
  readonly sinceMs: number;
  /** Samples of the utterance it reads; null until it starts. */
  samples: number | null;
}

/**
 * One utterance from its first sample to its final text: a state machine fed by the session's
 * messages and by the results of the decodes it asks for. Time comes in through the effects.
 * Every version of the segment has a higher `rev` than the one before.
 */
export class Utterance {
  readonly start: SampleIndex;
  readonly settings: RecognitionSettings;
  readonly #description: UtteranceDescription;
  readonly #effects: UtteranceEffects;
  readonly #audio = new UtteranceAudio();
  #settingsAtRetry: RecognitionSettings | null = null;
  #agreement: Agreement = NOTHING_HEARD;
  #running: Running | null = null;
  /** What was read in the present pause. */
  #speculative: Decoded | null = null;
  #pausedAt: SampleIndex | null = null;
  #end: SampleIndex | null = null;
  /** Detected beyond doubt: no later decode hears another one. */
  #language: Language | null = null;
  #lastDecodedSamples = 0;
  #lastCostMs = 0;
  #done = false;

  constructor(description: UtteranceDescription, settings: RecognitionSettings, effects: UtteranceEffects) {
    this.start = description.start;
    this.settings = settings;
    this.#description = description;
    const { shown } = description;
    if (shown) this.#agreement = { committed: shown.committed, tentative: [], language: shown.language };
    this.#effects = effects;
  }

  get receivedSamples(): number {
    return this.#audio.length;
  }

  /** After its last sample; null until that is known. */
  get end(): SampleIndex | null {
    return this.#end;
  }

  /** Audio of the utterance; what was received before is skipped, what is missing becomes silence. */
  append(start: SampleIndex, samples: Float32Array): void {
    if (this.#done || this.#end !== null) return;
    this.#audio.put(start - this.start, samples);
    this.#maybePartial();
  }

  pause(at: SampleIndex): void {
    if (this.#done || this.#end !== null || !this.#description.live) return;
    this.#pausedAt = at;
    this.#speculative = null;
    const running = this.#running;
    if (running && (running.samples ?? this.#audio.length) >= at - this.start) {
      // It reads everything that was said: no need to begin again.
      this.#assign(running, 'speculative');
      return;
    }
    this.#stop();
    this.#begin('speculative');
  }

  resume(): void {
    if (this.#done || this.#end !== null) return;
    this.#pausedAt = null;
    if (this.#speculative) this.#effects.recounted('final', 'partial');
    this.#speculative = null;
    if (this.#running?.role !== 'speculative') return;
    if (this.#running.samples === null) this.#stop();
    else this.#assign(this.#running, 'partial');
  }

  finish(end: SampleIndex): void {
    if (this.#done || this.#end !== null) return;
    this.#end = end;
    this.#audio.truncate(end - this.start);
    if (this.#audio.length === 0) {
      this.cancel();
      return;
    }
    const saidAll = this.#pausedAt !== null && this.#pausedAt <= end;
    if (saidAll && this.#speculative) {
      this.#conclude(this.#speculative);
    } else if (saidAll && this.#running?.role === 'speculative') {
      this.#assign(this.#running, 'final');
    } else {
      this.#stop();
      this.#begin('final');
    }
  }

  /** Nothing was said after all. */
  cancel(): void {
    if (this.#done) return;
    this.halt();
    this.#effects.cancelled(this.#effects.nextRev());
  }

  /** Nothing more comes of it, not a word. */
  halt(): void {
    this.#stop();
    this.#done = true;
  }

  /** Tries again after {@link UtteranceEffects.held}. */
  retry(settings: RecognitionSettings): void {
    if (this.#done || this.#running || this.#end === null) return;
    this.#settingsAtRetry = settings;
    this.#begin('final');
  }

  #maybePartial(): void {
    if (!this.#description.live || this.#running || this.#pausedAt !== null) return;
    const oldMs = samplesToMs(this.#lastDecodedSamples);
    const newMs = samplesToMs(this.#audio.length) - oldMs;
    const worthMs = Math.max(
      LEAST_NEW_AUDIO_MS,
      LEAST_NEW_SHARE * oldMs,
      PARTIAL_COST_FACTOR * this.#lastCostMs,
    );
    if (newMs >= worthMs) this.#begin('partial');
  }

  #begin(role: Role): void {
    const { live } = this.#description;
    const kind = role === 'partial' ? 'partial' : 'final';
    const running: Running = {
      role,
      thorough: role !== 'partial',
      samples: null,
      sinceMs: this.#effects.now(),
      task: this.#effects.decode({
        priority: kind === 'final' && !live ? 'background' : kind,
        settings: () => this.#settingsNow(),
        audio: () => {
          running.samples = this.#audio.length;
          return this.#audio.copy();
        },
        context: () => this.#context(),
        onCall: (samples) => this.#effects.counted(kindOf(running.role), samples),
      }),
    };
    this.#running = running;
    running.task.result.then(
      (decoded) => this.#onDecoded(running, decoded),
      (error: unknown) => this.#onFailed(running, error),
    );
  }

  #settingsNow(): RecognitionSettings {
    const settings = this.#settingsAtRetry ?? this.settings;
    return this.#language ? { ...settings, languages: [this.#language] } : settings;
  }

  /** Only in one known language: speech in another would be heard as the context's. */
  #context(): SpokenContext | null {
    const { languages } = this.#settingsNow();
    const [language] = languages;
    if (languages.length !== 1 || !language) return null;
    return this.#description.recent.before(this.start, language, this.#audio.length);
  }

  #heard({ language, languageProbability, dropped }: Decoded): void {
    const surely =
      languageProbability >= SURE_LANGUAGE && samplesToMs(this.#lastDecodedSamples) >= SURE_AFTER_MS;
    if (surely && !dropped) this.#language ??= language;
  }

  #assign(running: Running, role: Role): void {
    const [from, to] = [kindOf(running.role), kindOf(role)];
    running.role = role;
    if (from === to) return;
    if (running.samples !== null) this.#effects.recounted(from, to);
    running.task.setPriority(to);
  }

  #stop(): void {
    this.#running?.task.abort();
    this.#running = null;
  }

  #onDecoded(running: Running, decoded: Decoded): void {
    if (this.#running !== running || this.#done) return;
    this.#running = null;
    this.#lastCostMs = this.#effects.now() - running.sinceMs;
    this.#lastDecodedSamples = running.samples ?? this.#audio.length;
    this.#heard(decoded);
    if (running.role !== 'partial' && !running.thorough && decoded.dropped) {
      this.#begin(running.role);
      return;
    }
    if (running.role === 'final') {
      this.#conclude(decoded);
      return;
    }
    const paused = running.role === 'speculative';
    if (paused) this.#speculative = decoded;
    this.#agreement = decoded.dropped
      ? refuse(this.#agreement)
      : agree(this.#agreement, { ...decoded, words: this.#onSourceClock(decoded.words) }, paused);
    const { committed, tentative } = this.#agreement;
    if (committed.length + tentative.length > 0) {
      this.#effects.partial(this.#segment(decoded, committed.length > 0 ? 'committed' : 'tentative'));
    }
    this.#maybePartial();
  }

  #onFailed(running: Running, error: unknown): void {
    if (this.#running !== running || this.#done) return;
    this.#running = null;
    this.#lastDecodedSamples = this.#audio.length;
    if (running.role !== 'final') return;
    if (isAbort(error)) this.#begin('final');
    else this.#effects.held();
  }

  #conclude(decoded: Decoded): void {
    const { committed } = this.#agreement;
    const words = decoded.dropped ? committed : conclude(this.#agreement, this.#onSourceClock(decoded.words));
    this.#agreement = { ...NOTHING_HEARD, committed: words, language: decoded.language };
    this.#done = true;
    if (words.length === 0) this.#effects.dropped(decoded.dropped ?? 'empty', this.#effects.nextRev());
    else this.#effects.final(this.#segment(decoded, 'final'), this.#audio.copy());
  }

  #onSourceClock(words: readonly Word[]): readonly Word[] {
    return words.map((word) => shiftWord(word, samplesToMs(this.start)));
  }

  #segment(decoded: Decoded, state: Segment['state']): Segment {
    const { sourceId, offsetMs, recovered } = this.#description;
    const end = this.#end ?? sampleIndex(this.start + this.#audio.length);
    return {
      id: segmentIdOf(sourceId, this.start),
      sourceId,
      startMs: offsetMs + samplesToMs(this.start),
      endMs: offsetMs + samplesToMs(end),
      language: decoded.language,
      state,
      committed: this.#agreement.committed,
      tentative: this.#agreement.tentative,
      rev: this.#effects.nextRev(),
      ...(recovered ? { recovered } : {}),
      averageLogProbability: decoded.averageLogProbability,
      noSpeechProbability: decoded.noSpeechProbability,
    };
  }
}

const kindOf = (role: Role): 'partial' | 'final' => (role === 'partial' ? 'partial' : 'final');
