import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers';
import { SAMPLE_RATE_HZ, samplesToMs } from '@core/protocol/audio.ts';
import type { RecognizerId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { Hypothesis, RecognizeOptions } from '../inference-protocol.ts';
import { Decoding, logitsRow, recognizeInContext, type DecodingContext } from './decoding.ts';
import { withContext, wordsOfContext, type Recognizer } from './recognizer.ts';
import { chooseToken, mean, probabilityOf } from './scores.ts';
import type { StepRunner } from './step-runner.ts';
import { decodeTokens } from './token-loop.ts';
import { leastProbability, wordsOfTokens } from './words.ts';

export interface MoonshineParts {
  readonly id: RecognizerId;
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizer;
  readonly runner: StepRunner;
  /** Only asked for at a temperature above 0. */
  readonly random: () => number;
}

/** The paper's limit against loops (Jeffries et al. 2024, section 3.2: 6.5 tokens a second). */
const MAX_TOKENS_PER_S = 6.5;
/** The encoder's convolutions need about 0.1 s. No more padding than that: it makes short words vanish. */
const SHORTEST_S = 0.2;
/**
 * Moonshine likes to end before the first word of a short utterance ("No.", "Maybe."). Below this
 * probability of doing so it has to go on. Measured with 36 synthetic utterances of one or two words
 * with 0.3 s before and 0.5 s behind: 30 read right instead of 17. Of 40 pieces of noise and silence
 * of 0.8 to 2 s all stay empty: noise ends with 0.94 or more, or says a lone "You".
 */
const SURE_OF_NO_SPEECH = 0.93;

/**
 * Moonshine (English). Its cost follows the length of the audio: no 30 s window as in Whisper. The
 * exported graph has no cross-attentions, so its words have no times.
 */
export class MoonshineRecognizer implements Recognizer {
  readonly id: RecognizerId;
  readonly languages: readonly Language[] = ['en'];
  readonly #parts: MoonshineParts;
  readonly #anchor: readonly number[];

  constructor(parts: MoonshineParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#anchor = parts.tokenizer.encode('.', { add_special_tokens: false });
  }

  async recognize(audio: Float32Array, options: RecognizeOptions, signal: AbortSignal): Promise<Hypothesis> {
    const read = (how: RecognizeOptions, decoding: DecodingContext) => this.#read(audio, how, decoding);
    return recognizeInContext(read, options, this.#parts.runner, signal);
  }

  async dispose(): Promise<void> {
    await this.#parts.model.dispose();
  }

  /** Null when the context was not recognized in what was read. */
  async #read(
    utterance: Float32Array,
    { temperature, context: before }: RecognizeOptions,
    context: DecodingContext,
  ): Promise<Omit<Hypothesis, 'decodeMs'> | null> {
    const audio = padded(withContext(utterance, before));
    const { model, random } = this.#parts;
    const sessions = model.sessions as Record<'model' | 'decoder_model_merged', InferenceSession>;
    const { decoder_start_token_id, eos_token_id } = model.generation_config as unknown as {
      decoder_start_token_id: number;
      eos_token_id: number;
    };
    const input = context.scope.floats(audio, [1, audio.length]);
    const encoded = await context.runner.run(
      sessions.model,
      { input_values: input },
      ['last_hidden_state'],
      context.scope,
      context.signal,
    );
    context.scope.free(input);

    const decoding = new Decoding(sessions.decoder_model_merged, context, {
      encoder_hidden_states: encoded.last_hidden_state!,
    });
    const firstRow = logitsRow(await decoding.prefill([decoder_start_token_id]), 0);
    const endsAtOnce = chooseToken(firstRow, 0, random).token === eos_token_id;
    const barred = endsAtOnce && probabilityOf(firstRow, eos_token_id) < SURE_OF_NO_SPEECH;
    const decoded = await decodeTokens(firstRow, decoding.next, {
      endOfText: eos_token_id,
      maxTokens: Math.ceil((audio.length / SAMPLE_RATE_HZ) * MAX_TOKENS_PER_S),
      temperature,
      random,
      mask: (row, { length }) => {
        if (barred && length === 0) row[eos_token_id] = -Infinity;
        return row;
      },
    });
    // A word read from speech ends with a full stop; what is forced out of silence does not.
    const tokens = barred && decoded.tokens.length === 1 ? [] : decoded.tokens;
    const spoken = wordsOfTokens(tokens, (group) => this.#text(group)).filter(
      ({ text }) => text.trim() !== '',
    );
    const words = spoken.map((word) => ({
      text: word.text,
      startMs: null,
      endMs: null,
      probability: leastProbability(word, decoded.logProbabilities),
    }));
    const first = wordsOfContext(words, samplesToMs(before?.audio.length ?? 0), before);
    if (first === null) return null;
    return {
      language: 'en',
      languageProbability: 1,
      words: words.slice(first),
      averageLogProbability: mean(decoded.logProbabilities.slice(spoken[first]?.firstToken ?? 0)),
      noSpeechProbability: null,
      tokens: tokens.length,
      truncated: decoded.truncated,
    };
  }

  /** Text of some tokens with its leading space, which the tokenizer takes off the first of a text. */
  #text(tokens: number[]): string {
    const decode = (ids: number[]) => this.#parts.tokenizer.decode(ids, { skip_special_tokens: true });
    return decode([...this.#anchor, ...tokens]).slice(decode([...this.#anchor]).length);
  }
}

function padded(audio: Float32Array): Float32Array {
  const shortest = SHORTEST_S * SAMPLE_RATE_HZ;
  if (audio.length >= shortest) return audio;
  const longer = new Float32Array(shortest);
  longer.set(audio);
  return longer;
}
