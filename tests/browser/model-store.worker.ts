import { AutoProcessor, WhisperForConditionalGeneration, env } from '@huggingface/transformers';
import { createRpc } from '@core/protocol/rpc.ts';
import { toModelError } from '@workers/model-store/model-fetch.ts';
import { configureTransformers, fetchWeights } from '@workers/model-store/sources.ts';

let configured = false;

/** What the page under test can ask of a worker that uses the model store as the engine does. */
const api = {
  /** Loads a Whisper and returns what its tokenizer makes of a sentence and back. */
  async load(repo: string, hubHost: string, withProgress = true): Promise<string> {
    if (!configured) configureTransformers(env, 'wasm', { hubHost });
    configured = true;
    const report = (info: { status: string; file?: string; loaded?: number; total?: number }) => {
      if (info.status === 'progress') void rpc.progress(info.file ?? '', info.loaded ?? 0, info.total ?? 0);
    };
    const options = withProgress ? { progress_callback: report } : {};
    try {
      const [{ tokenizer }, model] = await Promise.all([
        AutoProcessor.from_pretrained(repo, options),
        WhisperForConditionalGeneration.from_pretrained(repo, { dtype: 'q8', device: 'wasm', ...options }),
      ]);
      await model.dispose();
      return tokenizer!.decode(tokenizer!.encode('Good morning everyone.'), { skip_special_tokens: true });
    } catch (thrown) {
      throw toModelError(thrown, repo);
    }
  },
  /** What a tokenizer of the starter pack makes of `text`, and back. */
  async tokenize(repo: string, text: string): Promise<{ ids: number[]; text: string }> {
    if (!configured) configureTransformers(env, 'wasm');
    configured = true;
    const { tokenizer } = await AutoProcessor.from_pretrained(repo);
    if (!tokenizer) throw new Error(`${repo} has no tokenizer`);
    const ids = tokenizer.encode(text);
    return { ids, text: tokenizer.decode(ids, { skip_special_tokens: true }) };
  },
  async weights(path: string): Promise<{ sha256: string; bytes: number }> {
    const bytes = await fetchWeights(path, {
      onProgress: (loaded, total) => void rpc.progress(path, loaded, total),
    });
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return {
      sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      bytes: bytes.length,
    };
  },
  /** URLs this worker has asked the network for, ONNX Runtime's and the code's own left out. */
  async requests(): Promise<string[]> {
    return performance
      .getEntriesByType('resource')
      .map((entry) => entry.name)
      .filter((name) => /\/models\/|\/resolve\//.test(name) && !name.includes('node_modules'));
  },
};

export type ModelStoreWorker = typeof api;
export interface ModelStorePage {
  progress(file: string, loadedBytes: number, totalBytes: number): void;
}

const rpc = createRpc<ModelStorePage, ModelStoreWorker>(self, api);
