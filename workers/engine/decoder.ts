import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { RecognitionSettings, RecognizerId } from '@core/protocol/engine.ts';
import { simplifyWords } from '@core/text/chinese.ts';
import { judge, type DropReason, type Verdict } from '@core/transcript/hallucination.ts';
import { compressionRatio, cutLoops } from '@core/transcript/repetition.ts';
import { shiftWord, textOf, type Language, type Word } from '@core/transcript/types.ts';
import { RECOGNIZER_MODELS } from '@workers/model-store/catalog.ts';
import { chooseRecognizer } from './choose-recognizer.ts';
import type { Hypothesis, RecognizeOptions, SpokenContext } from './inference-protocol.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { LoadedModel } from './runtime.ts';
import type { Priority, Scheduler, Ticket } from './scheduler.ts';

export interface DecodeRequest {
  /** Whose turn it is in the scheduler. */
  readonly session: string;
  readonly priority: Extract<Priority, 'final' | 'partial' | 'background'>;
  settings(): RecognitionSettings;
  /** Asked for when the decode starts, so that a partial that had to wait reads the newest audio. */
  audio(): Float32Array;
  /** What the same source said just before, in the one language that is spoken; null if there is nothing. */
  context(): SpokenContext | null;
  /** A recognizer call begins on that many samples, context included. */
  onCall(samples: number): void;
}

/** What was read from one utterance, fit to be shown. */
export interface Decoded {
  readonly language: Language;
  readonly languageProbability: number;
  /** Times are ms from the start of the audio. Empty when dropped. */
  readonly words: readonly Word[];
  /** Why nothing of it is shown; null when it is. */
  readonly dropped: DropReason | null;
  readonly averageLogProbability: number | null;
  readonly noSpeechProbability: number | null;
}

export interface DecodeTask {
  /** Rejects with an abort when cancelled or dropped, with a UnisonoError when no model is left. */
  readonly result: Promise<Decoded>;
  abort(): void;
  setPriority(priority: DecodeRequest['priority']): void;
}

/** Whisper refuses more than 30 s; the gate ends utterances before this. */
const MAX_CALL_SAMPLES = 29 * SAMPLE_RATE_HZ;

/** Second rung of Whisper's own fallback (0, 0.2, 0.4, …): enough to leave a loop. */
const RETRY_TEMPERATURE = 0.4;

/** Moonshine reads a second or two of speech badly on its own, and more than that well. */
const MOONSHINE_SHORT_SAMPLES = 3 * SAMPLE_RATE_HZ;
const MOONSHINE_CONTEXT_SAMPLES = 6 * SAMPLE_RATE_HZ;

interface Reading {
  readonly hypothesis: Hypothesis;
  readonly verdict: Verdict;
}

/** Turns requests into scheduled recognizer calls that survive faults. Lives in the engine worker. */
export class Decoder {
  readonly #registry: ModelRegistry;
  readonly #scheduler: Scheduler;

  constructor(registry: ModelRegistry, scheduler: Scheduler) {
    this.#registry = registry;
    this.#scheduler = scheduler;
  }

  /**
   * Partials are dropped when the model is not ready or finals wait; everything else waits, and is
   * decoded again on the next candidate when a model fails.
   */
  decode(request: DecodeRequest): DecodeTask {
    const controller = new AbortController();
    const state: { priority: DecodeRequest['priority']; ticket: Ticket<Reading> | null } = {
      priority: request.priority,
      ticket: null,
    };
    return {
      result: this.#decode(request, state, controller.signal),
      abort: () => controller.abort(),
      setPriority: (priority) => {
        state.priority = priority;
        state.ticket?.setPriority(priority);
      },
    };
  }

  async #decode(
    request: DecodeRequest,
    state: { priority: DecodeRequest['priority']; ticket: Ticket<Reading> | null },
    signal: AbortSignal,
  ): Promise<Decoded> {
    for (;;) {
      const loaded = await this.#model(request, state.priority);
      signal.throwIfAborted();
      const job = {
        lane: loaded.runtime.lane,
        session: request.session,
        priority: state.priority,
        run: (stop: AbortSignal) => read(loaded, request, state.priority !== 'partial', stop),
      };
      state.ticket = this.#scheduler.submit(job, signal);
      try {
        return await shown(await state.ticket.result, request.settings());
      } catch (error) {
        if (isAbort(error)) throw error;
        const stepped = this.#registry.stepDown(loaded, error).catch(() => undefined);
        if (state.priority === 'partial') throw error;
        // Whether a model is left shows when the next one is asked for.
        await stepped;
      }
    }
  }

  async #model(request: DecodeRequest, priority: Priority): Promise<LoadedModel<RecognizerId>> {
    const choose = (): RecognizerId => chooseRecognizer(request.settings(), this.#registry.measured());
    const model = choose();
    if (priority !== 'partial') {
      return this.#registry.ready(model).catch((error: unknown) => {
        const other = choose();
        if (other === model) throw error;
        return this.#registry.ready(other);
      });
    }
    const loaded = this.#registry.peek(model);
    if (!loaded || this.#scheduler.hasWaitingFinal(loaded.runtime.lane)) {
      throw new UnisonoError('aborted', 'A partial can wait.');
    }
    return loaded;
  }
}

export const isAbort = (error: unknown): boolean =>
  (error instanceof UnisonoError && error.code === 'aborted') ||
  (error instanceof DOMException && error.name === 'AbortError');

/** Whisper pays for 30 s whatever it is given. Moonshine pays by the second, and needs help with short calls only. */
function usefulContext(
  model: RecognizerId,
  audio: Float32Array,
  context: SpokenContext | null,
): SpokenContext | null {
  if (!context || context.audio.length + audio.length > MAX_CALL_SAMPLES) return null;
  if (RECOGNIZER_MODELS[model].family === 'whisper') return context;
  const short = audio.length < MOONSHINE_SHORT_SAMPLES && context.audio.length < MOONSHINE_CONTEXT_SAMPLES;
  return short ? context : null;
}

/** One reading of the audio; a doubtful one is read once more at a higher temperature. */
async function read(
  loaded: LoadedModel<RecognizerId>,
  request: DecodeRequest,
  retry: boolean,
  signal: AbortSignal,
): Promise<Reading> {
  const audio = request.audio();
  const options = {
    languages: request.settings().languages,
    wordTimestamps: true,
    context: usefulContext(loaded.model, audio, request.context()),
  };
  const first = await readOnce(loaded, request, audio, { ...options, temperature: 0 }, signal);
  if (!retry || first.verdict.type !== 'doubtful') return first;
  const second = await readOnce(
    loaded,
    request,
    audio,
    { ...options, temperature: RETRY_TEMPERATURE },
    signal,
  );
  return isBetter(second, first) ? second : first;
}

/** Noise, too, gives a likely text if it is asked often enough: a second reading has to be clearly better. */
const CLEARLY_BETTER = 0.3;

function isBetter(second: Reading, first: Reading): boolean {
  if (second.verdict.type !== 'accept') return false;
  if (first.verdict.type === 'doubtful' && first.verdict.reason === 'repetition') return true;
  const [before, after] = [first, second].map(({ hypothesis }) => hypothesis.averageLogProbability ?? 0);
  return (after ?? 0) > (before ?? 0) + CLEARLY_BETTER;
}

/** -78 dBFS, a few steps of 16-bit audio: what muted, gated and shared sources send between words. */
const DIGITAL_SILENCE = 4 / 0x8000;
/** Audio that is silent but for this is read whole. */
const LEAST_SPEECH_SAMPLES = 0.2 * SAMPLE_RATE_HZ;

/**
 * As much of it as stands in front of a recording that was cut by hand. Of 0 to 300 ms tried on eleven clips in four
 * languages, 160 to 200 ms gave the fewest wrong words.
 */
const KEPT_SILENCE_SAMPLES = 0.18 * SAMPLE_RATE_HZ;

/**
 * Samples of digital silence to leave out in front. Whisper tiny misreads words behind 0.3 s of zeros
 * ("LibriBox"), and without any it skips a first short sentence; the noise of a real room does no harm.
 */
function leadingDigitalSilence(audio: Float32Array): number {
  const first = audio.findIndex((sample) => Math.abs(sample) > DIGITAL_SILENCE);
  if (audio.length - first < LEAST_SPEECH_SAMPLES) return 0;
  return Math.max(0, first - KEPT_SILENCE_SAMPLES);
}

async function readOnce(
  { runtime, model }: LoadedModel<RecognizerId>,
  request: DecodeRequest,
  audio: Float32Array,
  options: RecognizeOptions,
  signal: AbortSignal,
): Promise<Reading> {
  const parts: Hypothesis[] = [];
  for (
    let at = options.context ? 0 : leadingDigitalSilence(audio);
    at < audio.length;
    at += MAX_CALL_SAMPLES
  ) {
    const part = audio.subarray(at, at + MAX_CALL_SAMPLES);
    const context = parts.length === 0 ? (options.context ?? null) : null;
    request.onCall(part.length + (context?.audio.length ?? 0));
    const hypothesis = await runtime.recognize(model, part, { ...options, context }, signal);
    parts.push(shifted(hypothesis, (at * 1000) / SAMPLE_RATE_HZ));
  }
  const hypothesis = joined(parts);
  const verdict = judge({
    ...hypothesis,
    durationMs: (audio.length * 1000) / SAMPLE_RATE_HZ,
    compressionRatio: await compressionRatio(textOf(hypothesis.words)),
  });
  return { hypothesis, verdict };
}

/** A reading as it is shown: without loops, in the script asked for. */
async function shown({ hypothesis, verdict }: Reading, settings: RecognitionSettings): Promise<Decoded> {
  const { language, languageProbability, averageLogProbability, noSpeechProbability } = hypothesis;
  const cut = cutLoops(hypothesis.words);
  // What surrounds a loop was said; a text that is nothing but a loop was not (measured on noise).
  const saved =
    verdict.type === 'doubtful' && verdict.reason === 'repetition' && cut.cut > 0 && cut.outside > 0;
  const dropped = verdict.type === 'accept' || saved ? null : verdict.reason;
  const words = dropped ? [] : cut.words;
  const chinese = language === 'zh' && settings.chineseScript === 'simplified';
  return {
    language,
    languageProbability,
    words: chinese ? await simplifyWords(words) : words,
    dropped,
    averageLogProbability,
    noSpeechProbability,
  };
}

const shifted = (hypothesis: Hypothesis, byMs: number): Hypothesis =>
  byMs === 0 ? hypothesis : { ...hypothesis, words: hypothesis.words.map((word) => shiftWord(word, byMs)) };

/** Readings of consecutive pieces as one; the scores are the worst of the pieces. */
function joined([first, ...others]: readonly Hypothesis[]): Hypothesis {
  if (!first) throw new UnisonoError('internal', 'There is no audio to decode.');
  return others.reduce(
    (all, part) => ({
      language: all.language,
      languageProbability: all.languageProbability,
      words: [...all.words, ...part.words],
      averageLogProbability: Math.min(all.averageLogProbability ?? 0, part.averageLogProbability ?? 0),
      noSpeechProbability: Math.max(all.noSpeechProbability ?? 0, part.noSpeechProbability ?? 0),
      tokens: all.tokens + part.tokens,
      truncated: all.truncated || part.truncated,
      decodeMs: all.decodeMs + part.decodeMs,
    }),
    first,
  );
}
