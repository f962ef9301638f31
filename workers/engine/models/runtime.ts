import { env } from '@huggingface/transformers';
import { UnisonoError } from '@core/protocol/errors.ts';
import { configureTransformers } from '@workers/model-store/sources.ts';

/** What one inference worker runs on; fixed for its life, as ONNX Runtime can be set up only once. */
export interface RuntimeOptions {
  /** Threads of the WASM backend; more than one needs a cross-origin isolated page. */
  readonly threads: number;
  readonly device: 'wasm' | 'webgpu';
}

/**
 * Sets transformers.js and ONNX Runtime up; call once, before the first model.
 *
 * @throws UnisonoError `model-failed` where threads were asked for and cannot be had
 */
export function configureRuntime(
  { threads, device }: RuntimeOptions,
  onNotStored: (error: UnisonoError) => void,
): void {
  if (threads > 1 && !globalThis.crossOriginIsolated) {
    throw new UnisonoError('model-failed', 'Threads need a cross-origin isolated page.');
  }
  configureTransformers(env, device, { onNotStored });
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new UnisonoError('model-failed', 'ONNX Runtime for the web is missing.');
  wasm.numThreads = threads;
  wasm.simd = true;
  wasm.proxy = false;
}

/** The GPU device that ONNX Runtime uses; call after a session on it exists. */
export const gpuDevice = async (): Promise<GPUDevice | undefined> => await env.backends.onnx.webgpu?.device;
