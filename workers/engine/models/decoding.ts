import { UnisonoError } from '@core/protocol/errors.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { Hypothesis, RecognizeOptions } from '../inference-protocol.ts';
import type { StepRunner } from './step-runner.ts';
import { floatsOf, TensorScope, type OrtTensor } from './tensors.ts';

/** What the decoding of one utterance or sentence needs beside the model. */
export interface DecodingContext {
  readonly runner: StepRunner;
  readonly scope: TensorScope;
  readonly signal: AbortSignal;
}

/** Scores of the steps run: `rows` × `width`, row-major, `width` being the vocabulary. */
export interface Logits {
  readonly data: Float32Array;
  readonly width: number;
}

/** Row `index` of some logits; a view, not a copy. */
export const logitsRow = ({ data, width }: Logits, index: number): Float32Array =>
  data.subarray(index * width, (index + 1) * width);

/**
 * The decoder's run over one utterance or sentence with its key-value cache: `prefill` reads the prompt, then
 * `next` one token a step. The exported graphs hold both in one file (`decoder_model_merged`), told
 * apart by `use_cache_branch`; the encoder's keys and values are only computed by `prefill`.
 */
export class Decoding {
  readonly #session: InferenceSession;
  readonly #context: DecodingContext;
  readonly #encoded: Readonly<Record<string, OrtTensor>>;
  readonly #extraOutputs: readonly string[];
  readonly #onExtra: (outputs: readonly OrtTensor[]) => void;
  readonly #cache = new Map<string, OrtTensor>();

  /**
   * @param encoded what the encoder gave, by the name of the decoder's input
   * @param extraOutputs further outputs wanted of every step (cross-attentions); given to `onExtra`
   */
  constructor(
    session: InferenceSession,
    context: DecodingContext,
    encoded: Readonly<Record<string, OrtTensor>>,
    extraOutputs: readonly string[] = [],
    onExtra: (outputs: readonly OrtTensor[]) => void = () => undefined,
  ) {
    this.#session = session;
    this.#context = context;
    this.#encoded = encoded;
    this.#extraOutputs = extraOutputs;
    this.#onExtra = onExtra;
  }

  /** Reads the prompt from the start; returns one row of logits per prompt token. */
  async prefill(prompt: readonly number[]): Promise<Logits> {
    for (const tensor of this.#cache.values()) this.#context.scope.free(tensor);
    this.#cache.clear();
    for (const input of this.#session.inputMetadata) {
      if (!input.name.startsWith('past_key_values') || !input.isTensor) continue;
      const dims = input.shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 1 : 0));
      this.#cache.set(
        input.name,
        this.#context.scope.empty(input.type === 'float16' ? 'float16' : 'float32', dims),
      );
    }
    return this.#step(prompt, false);
  }

  /** Reads one more token; returns the logits after it. */
  readonly next = async (token: number): Promise<Float32Array> => (await this.#step([token], true)).data;

  async #step(tokens: readonly number[], cached: boolean): Promise<Logits> {
    const { runner, scope, signal } = this.#context;
    const session = this.#session;
    const ids = scope.tokens(tokens);
    const flag = scope.flag(cached);
    const inputs: Record<string, OrtTensor> = { ...this.#encoded, input_ids: ids };
    for (const [name, tensor] of this.#cache) inputs[name] = tensor;
    if (session.inputNames.includes('use_cache_branch')) inputs.use_cache_branch = flag;
    // With a cache the encoder's keys and values come out as they went in, or empty: not fetched.
    const presents = session.outputNames.filter(
      (name) => name.startsWith('present') && !(cached && name.includes('.encoder.')),
    );
    const outputs = await runner.run(
      session,
      inputs,
      ['logits', ...presents, ...this.#extraOutputs],
      scope,
      signal,
    );
    const take = (name: string): OrtTensor => outputs[name]!;
    for (const name of presents) {
      const past = name.replace('present', 'past_key_values');
      scope.free(this.#cache.get(past)!);
      this.#cache.set(past, take(name));
    }
    this.#onExtra(this.#extraOutputs.map(take));
    const logits = take('logits');
    const data = floatsOf(logits);
    for (const done of [ids, flag, logits, ...this.#extraOutputs.map(take)]) scope.free(done);
    return { data, width: data.length / tokens.length };
  }
}

/** One reading; null when the context was not recognized in what was read, or nothing else was. */
type Read = (
  options: RecognizeOptions,
  decoding: DecodingContext,
) => Promise<Omit<Hypothesis, 'decodeMs'> | null>;

/** Reads an utterance with its context, and alone where the context does not come out of it again. */
export async function recognizeInContext(
  read: Read,
  options: RecognizeOptions,
  runner: StepRunner,
  signal: AbortSignal,
): Promise<Hypothesis> {
  const startedMs = performance.now();
  const scope = new TensorScope();
  try {
    const decoding = { runner, scope, signal };
    const result = (await read(options, decoding)) ?? (await read({ ...options, context: null }, decoding));
    if (!result) throw new UnisonoError('internal', 'An utterance without context was not read.');
    return { ...result, decodeMs: performance.now() - startedMs };
  } finally {
    scope.freeAll();
  }
}
