import { UnisonoError } from '@core/protocol/errors.ts';
import type { FaultKind } from '@core/protocol/engine.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { OrtTensor, TensorScope } from './tensors.ts';

export type ModelFault = Exclude<FaultKind, 'worker-gone'>;

/** What engines say when memory runs out: V8, Emscripten, libc++, Dawn. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|allocation failed|allocate a buffer|Aborted\(OOM|not enough memory/i;

/** Any failure inside a model as one of the codes the engine acts on. */
export function modelError(thrown: unknown): UnisonoError {
  if (thrown instanceof UnisonoError) return thrown;
  // ONNX Runtime throws numbers where C++ exceptions cross into JavaScript.
  const message = thrown instanceof Error ? thrown.message : `code ${String(thrown)}`;
  return new UnisonoError(OUT_OF_MEMORY.test(message) ? 'out-of-memory' : 'model-failed', message, {
    cause: thrown,
  });
}

const channel = new MessageChannel();

/**
 * Lets waiting messages (a cancel) in: ONNX Runtime's WASM backend never does by itself.
 * A few tens of microseconds, against milliseconds of a model step.
 */
const letMessagesIn = () =>
  new Promise<void>((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });

/**
 * Runs model steps of all models in a worker, one at a time. Between steps a call can be
 * cancelled; a lost GPU ends the step under way, which would otherwise never return.
 */
export class StepRunner {
  #steps = 0;
  #gpuLoss: UnisonoError | undefined;
  #endStep: ((error: UnisonoError) => void) | undefined;
  #fault: Exclude<ModelFault, 'gpu-lost'> | undefined;

  /** Steps run since the worker began. */
  get steps(): number {
    return this.#steps;
  }

  /** Ends the step under way and every later one. */
  gpuLost(reason: string): void {
    this.#gpuLoss = new UnisonoError('gpu-lost', `The GPU device was lost: ${reason}`);
    this.#endStep?.(this.#gpuLoss);
  }

  /** The next step fails. */
  failNext(fault: Exclude<ModelFault, 'gpu-lost'>): void {
    this.#fault = fault;
  }

  /**
   * One run of a session.
   *
   * @param outputs the outputs to copy out of the runtime; they belong to `scope` afterwards
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  async run(
    session: InferenceSession,
    inputs: Record<string, OrtTensor>,
    outputs: readonly string[],
    scope: TensorScope,
    signal: AbortSignal,
  ): Promise<Record<string, OrtTensor>> {
    await letMessagesIn();
    if (signal.aborted) throw new UnisonoError('aborted', 'The call was cancelled.');
    if (this.#gpuLoss) throw this.#gpuLoss;
    this.#steps += 1;
    try {
      if (__TEST_HOOKS__) this.#throwFault();
      const lost = new Promise<never>((_, reject) => (this.#endStep = reject));
      const result = (await Promise.race([session.run(inputs, outputs), lost])) as Record<string, OrtTensor>;
      for (const tensor of Object.values(result)) scope.keep(tensor);
      return result;
    } catch (thrown) {
      throw this.#failure(thrown);
    } finally {
      this.#endStep = undefined;
    }
  }

  /** A step that a lost GPU made fail says whatever it likes. */
  #failure(thrown: unknown): UnisonoError {
    return this.#gpuLoss ?? modelError(thrown);
  }

  /** Fails the way the runtime fails, so that the error's way up is the real one. */
  #throwFault(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault === 'out-of-memory') throw new RangeError('Array buffer allocation failed');
    if (fault === 'exception') throw new Error('failed to call OrtRun(). ERROR_CODE: 1');
  }
}
