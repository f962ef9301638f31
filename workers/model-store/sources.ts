import type { env as Env } from '@huggingface/transformers';
import { UnisonoError } from '@core/protocol/errors.ts';
import { fetchModelFile } from './model-fetch.ts';
import { STARTER_URL } from './starter.ts';
import { WeightsCache } from './weights-cache.ts';

export interface SourceOptions {
  /** Origin of the model hub, with a slash at its end. */
  readonly hubHost?: string;
  /** A model was loaded but could not be kept (`storage-full`, `storage-failed`). */
  readonly onNotStored?: (error: UnisonoError) => void;
}

/** Origin or folder of the model hub, with a slash at its end. */
export const hubUrl = (): string => new URL(__HUB_URL__, self.location.origin).href;

const cache = new WeightsCache();

async function store(
  url: string,
  response: Response,
  onNotStored: SourceOptions['onNotStored'],
): Promise<void> {
  try {
    await cache.put(url, response);
  } catch (thrown) {
    // The model is in memory and works: that it must be fetched again next time is worth a word, no more.
    onNotStored?.(thrown as UnisonoError);
  }
}

/**
 * Makes transformers.js read models from the cache, then from the starter pack, then from the hub,
 * and ONNX Runtime from the app's own origin. Call once per worker, before the first load. Errors
 * of `from_pretrained` go through `toModelError`.
 * @param runtime which build of ONNX Runtime: WebGPU needs the larger one
 */
export function configureTransformers(
  env: typeof Env,
  runtime: 'wasm' | 'webgpu',
  options: SourceOptions = {},
): void {
  env.allowLocalModels = true;
  env.localModelPath = STARTER_URL;
  env.remoteHost = options.hubHost ?? hubUrl();
  env.useBrowserCache = false;
  // ONNX Runtime's files are the service worker's to keep: they belong to the app, not to a model.
  env.useWasmCache = false;
  env.useCustomCache = true;
  env.customCache = {
    match: (request: string) => cache.match(request),
    put: (request: string, response: Response) => store(request, response, options.onNotStored),
    delete: (request: string) => cache.delete(request),
  };
  env.fetch = fetchModelFile;
  const build = `${__ORT_URL__}ort-wasm-simd-threaded${runtime === 'webgpu' ? '.asyncify' : ''}`;
  if (env.backends.onnx.wasm)
    env.backends.onnx.wasm.wasmPaths = { mjs: `${build}.mjs`, wasm: `${build}.wasm` };
}

/**
 * One file of the starter pack, read through the same cache: for models that are run without
 * transformers.js.
 * @param path `org/repo/file`
 * @throws {UnisonoError} `model-missing-offline`, `model-download-failed`; the signal's reason
 */
export async function fetchWeights(
  path: string,
  options: SourceOptions & {
    readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const url = STARTER_URL + path;
  const cached = await cache.match(url).catch(() => undefined);
  if (cached) return cached.bytes();
  const response = await fetchModelFile(url, options.signal ? { signal: options.signal } : undefined);
  if (!response.ok || !response.body) {
    throw new UnisonoError(
      'model-download-failed',
      `The app has no model file ${path}. Reload the page to update it.`,
      {
        detail: { model: path },
      },
    );
  }
  const totalBytes = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loadedBytes = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    loadedBytes += chunk.length;
    options.onProgress?.(loadedBytes, Math.max(totalBytes, loadedBytes));
  }
  const blob = new Blob(chunks);
  await store(url, new Response(blob, { headers: response.headers }), options.onNotStored);
  return new Uint8Array(await blob.arrayBuffer());
}
