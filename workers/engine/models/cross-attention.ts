import { alignedFrames } from './alignment.ts';
import { floatsOf, type OrtTensor } from './tensors.ts';

/**
 * Collects what the decoder's alignment heads attended to, step by step, to find out when each token
 * was said.
 */
export class CrossAttention {
  /** Decoder outputs to ask for, one per layer that holds an alignment head. */
  readonly outputs: readonly string[];
  readonly #layers: readonly number[];
  readonly #heads: readonly (readonly [layer: number, head: number])[];
  readonly #frames: number;
  #rows: Float32Array[][] = [];

  /**
   * @param heads the model's alignment heads
   * @param frames encoder frames that hold audio: the padding behind is left out
   */
  constructor(heads: readonly (readonly [layer: number, head: number])[], frames: number) {
    this.#heads = heads;
    this.#frames = frames;
    this.#layers = [...new Set(heads.map(([layer]) => layer))];
    this.outputs = this.#layers.map((layer) => `cross_attentions.${layer}`);
  }

  /** Takes one step's attention of {@link outputs}, each of shape [1, heads, tokens, frames]. */
  collect(outputs: readonly OrtTensor[]): void {
    const tokens = outputs[0]?.dims[2] ?? 0;
    const layers = outputs.map((output) => ({ data: floatsOf(output), width: output.dims[3] ?? 0 }));
    for (let token = 0; token < tokens; token += 1) {
      const row = this.#heads.map(([layer, head]) => {
        const { data, width } = layers[this.#layers.indexOf(layer)]!;
        const start = (head * tokens + token) * width;
        return data.slice(start, start + this.#frames);
      });
      this.#rows.push(row);
    }
  }

  /** Forgets what was collected: the prompt is read again. */
  reset(): void {
    this.#rows = [];
  }

  /** See {@link alignedFrames}; `promptTokens` are the tokens read before the first one decoded. */
  tokenFrames(promptTokens: number): number[] {
    const heads = this.#heads.map((_, head) => {
      const weights = new Float32Array(this.#rows.length * this.#frames);
      for (const [row, ofHeads] of this.#rows.entries()) weights.set(ofHeads[head]!, row * this.#frames);
      return weights;
    });
    return alignedFrames(heads, this.#rows.length, this.#frames, promptTokens - 1);
  }
}
