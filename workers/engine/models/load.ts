import {
  AutoFeatureExtractor,
  AutoTokenizer,
  env,
  MoonshineForConditionalGeneration,
  WhisperForConditionalGeneration,
} from '@huggingface/transformers';
import type { RungId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { RecognizerModel } from '@workers/model-store/catalog.ts';
import { toModelError } from '@workers/model-store/model-fetch.ts';
import type { MelExtractor } from './log-mel.ts';
import { MoonshineRecognizer } from './moonshine.ts';
import type { Recognizer } from './recognizer.ts';
import { modelError, type StepRunner } from './step-runner.ts';
import { WhisperRecognizer } from './whisper.ts';

export interface LoadedRecognizer {
  readonly recognizer: Recognizer;
  readonly sessions: number;
}

/**
 * Loads a model's files, through the cache, and creates its sessions. The runtime must have been
 * configured for the rung's device.
 *
 * @throws UnisonoError `model-failed`, `out-of-memory`, or what fetching the files throws
 */
export async function loadRecognizer(
  description: RecognizerModel,
  rung: RungId,
  runner: StepRunner,
): Promise<LoadedRecognizer> {
  const { id, family, repo, revision } = description;
  const dtype = description.variants[rung];
  if (!dtype) throw new UnisonoError('model-failed', `${id} has no weights for ${rung}.`);
  const device = rung.startsWith('webgpu') ? 'webgpu' : 'wasm';
  try {
    const options = { device, dtype: { ...dtype }, revision } as const;
    const parts = {
      id,
      runner,
      random: Math.random,
      tokenizer: await AutoTokenizer.from_pretrained(repo, { revision }),
    };
    if (family === 'moonshine') {
      const model = await MoonshineForConditionalGeneration.from_pretrained(repo, options);
      return {
        recognizer: new MoonshineRecognizer({ ...parts, model }),
        sessions: Object.keys(model.sessions).length,
      };
    }
    const extractor = (await AutoFeatureExtractor.from_pretrained(repo, {
      revision,
    })) as unknown as MelExtractor;
    const model = await WhisperForConditionalGeneration.from_pretrained(repo, options);
    return {
      recognizer: new WhisperRecognizer({ ...parts, model, featureExtractor: extractor }),
      sessions: Object.keys(model.sessions).length,
    };
  } catch (thrown) {
    const error = modelError(thrown);
    throw error.code === 'out-of-memory' ? error : toModelError(thrown, id);
  }
}

/** Reports the bytes of the files that loads fetch; those that come from the cache are not reported. */
export function reportDownloads(
  report: (file: string, loadedBytes: number, totalBytes: number) => void,
): void {
  const fetchFile = env.fetch;
  env.fetch = async (input, init) => {
    const response = (await fetchFile(input, init)) as Response;
    const totalBytes = Number(response.headers.get('content-length') ?? 0);
    if (!response.ok || !response.body || totalBytes === 0) return response;
    const file = new URL(input, self.location.href).pathname;
    let loadedBytes = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          loadedBytes += chunk.length;
          report(file, loadedBytes, Math.max(totalBytes, loadedBytes));
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, { status: response.status, headers: response.headers });
  };
}
