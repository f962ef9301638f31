import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers';
import type { TranslatorId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { Language } from '@core/transcript/types.ts';
import type { TranslatorModel } from '@workers/model-store/catalog.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { TranslatedText, TranslateOptions } from '../inference-protocol.ts';
import { Decoding, logitsRow } from './decoding.ts';
import { discourageRepetition } from './repetition.ts';
import type { StepRunner } from './step-runner.ts';
import { TensorScope } from './tensors.ts';
import { decodeTokens } from './token-loop.ts';
import type { Translator } from './translator.ts';

/** What the model's config.json and generation_config.json say (the fields used here). */
interface MarianConfig {
  readonly decoder_start_token_id: number;
  readonly eos_token_id: number;
  readonly pad_token_id: number;
  readonly bad_words_ids?: readonly (readonly number[])[] | null;
  /** Tokens of the longest sequence, for encoder and decoder. */
  readonly max_length: number;
}

export interface MarianParts {
  readonly description: TranslatorModel;
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizer;
  /** See {@link targetPrefix}. */
  readonly prefix: readonly number[];
  readonly runner: StepRunner;
}

/**
 * A translation of more tokens than this is a loop: beyond the spare ones, which short Chinese sentences need, the 390
 * of the tests' phrasebook never took more than 1.2 tokens for each token of their source.
 */
const MAX_TOKENS_PER_SOURCE_TOKEN = 3;
const SPARE_TOKENS = 20;

/**
 * Tokens that have to stand before every text. Looked up as a whole: in a text, the tokenizer takes the target's token
 * for a word like any other and may cut it to pieces.
 *
 * @throws UnisonoError `model-corrupt` where the vocabulary has no such token
 */
export function targetPrefix(
  tokenizer: PreTrainedTokenizer,
  { id, targetToken }: Pick<TranslatorModel, 'id' | 'targetToken'>,
): readonly number[] {
  if (targetToken === undefined) return [];
  const token: unknown = tokenizer.convert_tokens_to_ids(targetToken);
  if (typeof token !== 'number' || token === tokenizer.unk_token_id) {
    throw new UnisonoError('model-corrupt', `The vocabulary of ${id} has no ${targetToken}.`);
  }
  return [token];
}

/** Marian (Junczys-Dowmunt et al. 2018), as OPUS-MT trained it: one direction a model. Decodes greedily. */
export class MarianTranslator implements Translator {
  readonly id: TranslatorId;
  readonly from: Language;
  readonly to: Language;
  readonly #parts: MarianParts;
  readonly #config: MarianConfig;
  readonly #barred: readonly number[];

  constructor(parts: MarianParts) {
    const { description, model } = parts;
    this.id = description.id;
    this.from = description.from;
    this.to = description.to;
    this.#parts = parts;
    this.#config = Object.assign({}, model.config, model.generation_config) as unknown as MarianConfig;
    // As exported, the padding scores 0, which may be the highest of all.
    const words = (this.#config.bad_words_ids ?? []).filter(({ length }) => length === 1);
    this.#barred = [this.#config.pad_token_id, ...words.flat()];
  }

  async translate(text: string, options: TranslateOptions, signal: AbortSignal): Promise<TranslatedText> {
    const startedMs = performance.now();
    const scope = new TensorScope();
    try {
      return {
        ...(await this.#translate(text, options, scope, signal)),
        decodeMs: performance.now() - startedMs,
      };
    } finally {
      scope.freeAll();
    }
  }

  async dispose(): Promise<void> {
    await this.#parts.model.dispose();
  }

  async #translate(
    text: string,
    { careful }: TranslateOptions,
    scope: TensorScope,
    signal: AbortSignal,
  ): Promise<Omit<TranslatedText, 'decodeMs'>> {
    const { model, tokenizer, runner } = this.#parts;
    const sessions = model.sessions as Record<'model' | 'decoder_model_merged', InferenceSession>;
    const { decoder_start_token_id, eos_token_id, max_length } = this.#config;
    const source = this.#source(text);
    const ids = scope.tokens(source);
    const mask = scope.tokens(source.map(() => 1));
    const encoder = { input_ids: ids, attention_mask: mask };
    const encoded = await runner.run(sessions.model, encoder, ['last_hidden_state'], scope, signal);
    scope.free(ids);

    const decoding = new Decoding(
      sessions.decoder_model_merged,
      { runner, scope, signal },
      { encoder_hidden_states: encoded.last_hidden_state!, encoder_attention_mask: mask },
    );
    const firstRow = logitsRow(await decoding.prefill([decoder_start_token_id]), 0);
    const { tokens, truncated } = await decodeTokens(firstRow, decoding.next, {
      endOfText: eos_token_id,
      // The sequence also holds the token it starts with and its end.
      maxTokens: Math.min(max_length - 2, MAX_TOKENS_PER_SOURCE_TOKEN * source.length + SPARE_TOKENS),
      temperature: 0,
      random: Math.random,
      mask: (row, tokens) => {
        if (careful) discourageRepetition(row, tokens);
        for (const token of this.#barred) row[token] = -Infinity;
        return row;
      },
    });
    const decoded = tokens.length === 0 ? '' : tokenizer.decode([...tokens], { skip_special_tokens: true });
    return { text: decoded, tokens: tokens.length, truncated };
  }

  /** A text too long for the encoder loses its end, but not the token that marks it. */
  #source(text: string): number[] {
    const { tokenizer, prefix } = this.#parts;
    const { max_length, eos_token_id } = this.#config;
    const tokens = [...prefix, ...tokenizer.encode(text)];
    return tokens.length <= max_length ? tokens : [...tokens.slice(0, max_length - 1), eos_token_id];
  }
}
