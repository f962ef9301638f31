import { Tensor } from '@huggingface/transformers';
import type { Tensor as OrtTensor } from 'onnxruntime-web';

export type { OrtTensor };

let live = 0;

/** Tensors of all scopes not given back yet; 0 between calls, or memory leaks. */
export const liveTensors = (): number => live;

/**
 * Owns the tensors of one call. On a GPU a tensor's memory is only given back by `dispose`, never by
 * the garbage collector: whatever happens, the call ends with {@link freeAll}.
 */
export class TensorScope {
  readonly #owned = new Set<OrtTensor>();

  keep(tensor: OrtTensor): OrtTensor {
    this.#owned.add(tensor);
    live = live + 1;
    return tensor;
  }

  free(tensor: OrtTensor): void {
    if (!this.#owned.delete(tensor)) return;
    live = live - 1;
    tensor.dispose();
  }

  freeAll(): void {
    for (const tensor of this.#owned) this.free(tensor);
  }

  floats(data: Float32Array, dims: number[]): OrtTensor {
    return this.#create('float32', data, dims);
  }

  tokens(ids: readonly number[]): OrtTensor {
    return this.#create('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  }

  flag(value: boolean): OrtTensor {
    return this.#create('bool', [value], [1]);
  }

  /** A tensor without elements: the key-value cache before the first step. */
  empty(type: 'float32' | 'float16', dims: number[]): OrtTensor {
    return this.#create(type, new (type === 'float32' ? Float32Array : HalfFloats)(), dims);
  }

  #create(
    ...parameters: [type: 'float32' | 'float16' | 'int64' | 'bool', data: unknown, dims: number[]]
  ): OrtTensor {
    const tensor = new Tensor(...(parameters as ConstructorParameters<typeof Tensor>));
    return this.keep(tensor.ort_tensor);
  }
}

/** ONNX Runtime wants a Float16Array where the browser has one. */
const HalfFloats =
  (globalThis as unknown as { Float16Array?: typeof Uint16Array }).Float16Array ?? Uint16Array;

/** A CPU tensor's content as float32, whatever precision the model writes. */
export function floatsOf(tensor: OrtTensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  return new Tensor(tensor).to('float32').data as Float32Array;
}
