import type { PreTrainedModel, PreTrainedTokenizer } from '@huggingface/transformers';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { RecognizerId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { Hypothesis, RecognizeOptions } from '../inference-protocol.ts';
import { Decoding, decodeTokens, logitsRow, type DecodingContext } from './decoding.ts';
import type { Recognizer } from './recognizer.ts';
import type { StepRunner } from './step-runner.ts';
import { TensorScope } from './tensors.ts';
import { untimedWords } from './words.ts';

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
/** Moonshine reads nothing from less than about a second: shorter audio is padded with silence. */
const SHORTEST_S = 1.5;

/**
 * Moonshine (English). Its cost follows the length of the audio: no 30 s window as in Whisper. The
 * exported graph has no cross-attentions, so its words have no times.
 */
export class MoonshineRecognizer implements Recognizer {
  readonly id: RecognizerId;
  readonly languages: readonly Language[] = ['en'];
  readonly #parts: MoonshineParts;

  constructor(parts: MoonshineParts) {
    this.id = parts.id;
    this.#parts = parts;
  }

  async recognize(audio: Float32Array, options: RecognizeOptions, signal: AbortSignal): Promise<Hypothesis> {
    const startedMs = performance.now();
    const scope = new TensorScope();
    try {
      const result = await this.#read(padded(audio), options, { runner: this.#parts.runner, scope, signal });
      return { ...result, decodeMs: performance.now() - startedMs };
    } finally {
      scope.freeAll();
    }
  }

  async dispose(): Promise<void> {
    await this.#parts.model.dispose();
  }

  async #read(
    audio: Float32Array,
    { temperature }: RecognizeOptions,
    context: DecodingContext,
  ): Promise<Omit<Hypothesis, 'decodeMs'>> {
    const { model, tokenizer, random } = this.#parts;
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

    const decoding = new Decoding(sessions.decoder_model_merged, context, encoded.last_hidden_state!);
    const logits = await decoding.prefill([decoder_start_token_id]);
    const { tokens, averageLogProbability, truncated } = await decodeTokens(decoding, logitsRow(logits, 0), {
      endOfText: eos_token_id,
      maxTokens: Math.ceil((audio.length / SAMPLE_RATE_HZ) * MAX_TOKENS_PER_S),
      temperature,
      random,
      mask: (row) => row,
    });
    const text = tokens.length === 0 ? '' : tokenizer.decode([...tokens], { skip_special_tokens: true });
    return {
      language: 'en',
      words: untimedWords(text),
      averageLogProbability,
      noSpeechProbability: null,
      tokens: tokens.length,
      truncated,
    };
  }
}

function padded(audio: Float32Array): Float32Array {
  const shortest = SHORTEST_S * SAMPLE_RATE_HZ;
  if (audio.length >= shortest) return audio;
  const longer = new Float32Array(shortest);
  longer.set(audio);
  return longer;
}
