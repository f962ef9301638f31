import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers';
import { SAMPLE_RATE_HZ, samplesToMs } from '@core/protocol/audio.ts';
import type { RecognizerId } from '@core/protocol/engine.ts';
import { LANGUAGES, shiftWord, type Language } from '@core/transcript/types.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { Hypothesis, RecognizeOptions } from '../inference-protocol.ts';
import { CrossAttention } from './cross-attention.ts';
import { Decoding, logitsRow, recognizeInContext, type DecodingContext, type Logits } from './decoding.ts';
import { logMel, type MelExtractor } from './log-mel.ts';
import { withContext, wordsOfContext, type Recognizer } from './recognizer.ts';
import { likeliest, mean, probabilityOf } from './scores.ts';
import type { StepRunner } from './step-runner.ts';
import { decodeTokens } from './token-loop.ts';
import { FRAME_MS, timedWords } from './word-times.ts';
import { leastProbability, wordsOfTokens } from './words.ts';

/** What the model's generation_config.json says (the fields used here). */
interface WhisperGenerationConfig {
  readonly decoder_start_token_id: number;
  readonly eos_token_id: number;
  readonly no_timestamps_token_id: number;
  readonly is_multilingual: boolean;
  readonly lang_to_id?: Readonly<Record<string, number>>;
  readonly task_to_id?: Readonly<Record<string, number>>;
  readonly suppress_tokens?: readonly number[] | null;
  readonly begin_suppress_tokens?: readonly number[] | null;
  readonly alignment_heads?: readonly (readonly [layer: number, head: number])[] | null;
}

/** Whisper's <|nospeech|>, in older tokenizers <|nocaptions|>: the token before <|notimestamps|>. */
const noSpeechToken = (config: WhisperGenerationConfig): number => config.no_timestamps_token_id - 1;

export interface WhisperParts {
  readonly id: RecognizerId;
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizer;
  readonly featureExtractor: MelExtractor;
  readonly runner: StepRunner;
  /** Only asked for at a temperature above 0. */
  readonly random: () => number;
}

/**
 * Tokens per second of audio after which a text can only be a loop: read speech in en, es, fr and zh
 * needed 2 to 4.2, very fast talkers need twice that. The constant lets short utterances end.
 */
const MAX_TOKENS_PER_S = 10;
const SPARE_TOKENS = 10;
/** Whisper's own limit: half of its 448 positions are for the text before. */
const MAX_TOKENS = 224;

/** OpenAI Whisper, multilingual or English-only, any size. */
export class WhisperRecognizer implements Recognizer {
  readonly id: RecognizerId;
  readonly languages: readonly Language[];
  readonly #parts: WhisperParts;
  readonly #config: WhisperGenerationConfig;
  /** The language heard last: the likeliest of the next utterance. */
  #guess: Language = 'en';

  constructor(parts: WhisperParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#config = parts.model.generation_config as unknown as WhisperGenerationConfig;
    this.languages = this.#config.is_multilingual ? LANGUAGES : ['en'];
  }

  get #encoder(): InferenceSession {
    return this.#parts.model.sessions.model as InferenceSession;
  }

  get #decoder(): InferenceSession {
    return this.#parts.model.sessions.decoder_model_merged as InferenceSession;
  }

  async recognize(audio: Float32Array, options: RecognizeOptions, signal: AbortSignal): Promise<Hypothesis> {
    const read = (how: RecognizeOptions, decoding: DecodingContext) => this.#read(audio, how, decoding);
    return recognizeInContext(read, options, this.#parts.runner, signal);
  }

  async dispose(): Promise<void> {
    await this.#parts.model.dispose();
  }

  /** Null when the context was not recognized in what was read, or nothing else was. */
  async #read(
    utterance: Float32Array,
    { languages, wordTimestamps, temperature, context: before }: RecognizeOptions,
    context: DecodingContext,
  ): Promise<Omit<Hypothesis, 'decodeMs'> | null> {
    const audio = withContext(utterance, before);
    const candidates = this.languages.filter((language) => languages.includes(language));
    const features = await logMel(this.#parts.featureExtractor, audio);
    const input = context.scope.floats(features.data, features.dims);
    // Some exports also write 54 MB of attention per layer: only what is used is copied out.
    const encoded = await context.runner.run(
      this.#encoder,
      { input_features: input },
      ['last_hidden_state'],
      context.scope,
      context.signal,
    );
    context.scope.free(input);

    const attention = wordTimestamps ? this.#crossAttention(audio.length) : null;
    const decoding = new Decoding(
      this.#decoder,
      context,
      { encoder_hidden_states: encoded.last_hidden_state! },
      attention?.outputs,
      (outputs) => attention?.collect(outputs),
    );
    let language = candidates.includes(this.#guess) ? this.#guess : (candidates[0] ?? this.languages[0]!);
    let logits = await decoding.prefill(this.#prompt(language));
    // The first token cannot see those behind it: its scores are the same whatever was guessed.
    const heard = this.#languageOf(logits, candidates);
    if (heard && heard.choice !== language) {
      language = heard.choice;
      attention?.reset();
      logits = await decoding.prefill(this.#prompt(language));
    }
    this.#guess = language;

    const promptTokens = this.#prompt(language).length;
    const noSpeechProbability = before
      ? null
      : probabilityOf(logitsRow(logits, 0), noSpeechToken(this.#config));
    const { tokens, logProbabilities, truncated } = await decodeTokens(
      logitsRow(logits, promptTokens - 1),
      decoding.next,
      {
        endOfText: this.#config.eos_token_id,
        maxTokens: Math.min(
          MAX_TOKENS,
          SPARE_TOKENS + Math.ceil((audio.length / SAMPLE_RATE_HZ) * MAX_TOKENS_PER_S),
        ),
        temperature,
        random: this.#parts.random,
        mask: (row, { length }) => this.#allowed(row, length),
      },
    );
    const words = wordsOfTokens(tokens, (group) => this.#text(group));
    const frames = attention === null || tokens.length === 0 ? null : attention.tokenFrames(promptTokens);
    const timed = timedWords(words, frames, samplesToMs(audio.length)).map((word, index) => ({
      ...word,
      probability: leastProbability(words[index], logProbabilities),
    }));
    const contextMs = samplesToMs(audio.length - utterance.length);
    const first = wordsOfContext(timed, contextMs, before);
    // Nothing new behind a context may also be speech that repeats it.
    if (first === null || (before && first === timed.length)) return null;
    return {
      language,
      languageProbability: heard?.probability ?? 1,
      words: timed.slice(first).map((word) => shiftWord(word, -contextMs)),
      averageLogProbability: mean(logProbabilities.slice(words[first]?.firstToken ?? 0)),
      noSpeechProbability,
      tokens: tokens.length,
      truncated,
    };
  }

  /** English-only models know neither language nor task tokens. */
  #prompt(language: Language): number[] {
    const { decoder_start_token_id, is_multilingual, lang_to_id, task_to_id, no_timestamps_token_id } =
      this.#config;
    const which = is_multilingual ? [lang_to_id?.[`<|${language}|>`], task_to_id?.transcribe] : [];
    return [decoder_start_token_id, ...which, no_timestamps_token_id].filter((token) => token !== undefined);
  }

  #languageOf(
    logits: Logits,
    candidates: readonly Language[],
  ): { readonly choice: Language; readonly probability: number } | null {
    if (candidates.length < 2) return null;
    const tokenOf = (language: Language): number => this.#config.lang_to_id?.[`<|${language}|>`] ?? -1;
    const row = logitsRow(logits, 0);
    const choice = likeliest(candidates, row, tokenOf);
    const among = Float32Array.from(candidates, (language) => row[tokenOf(language)] ?? -Infinity);
    return { choice, probability: probabilityOf(among, candidates.indexOf(choice)) };
  }

  /** Only text and the end of text may follow: special and time tokens have higher ids than that. */
  #allowed(row: Float32Array, position: number): Float32Array {
    const { eos_token_id, suppress_tokens, begin_suppress_tokens } = this.#config;
    const text = row.subarray(0, eos_token_id + 1);
    for (const token of suppress_tokens ?? []) if (token < text.length) text[token] = -Infinity;
    if (position === 0) for (const token of begin_suppress_tokens ?? []) text[token] = -Infinity;
    return text;
  }

  #text(tokens: number[]): string {
    return this.#parts.tokenizer.decode(tokens, {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: false,
    });
  }

  /** Null where the export has no cross-attentions: words without times. */
  #crossAttention(samples: number): CrossAttention | null {
    const heads = this.#config.alignment_heads;
    if (!heads || !this.#decoder.outputNames.includes('cross_attentions.0')) return null;
    return new CrossAttention(heads, Math.max(1, Math.floor(samplesToMs(samples) / FRAME_MS)));
  }
}
