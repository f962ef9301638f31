import {
  AutoFeatureExtractor,
  AutoTokenizer,
  env,
  MarianMTModel,
  MoonshineForConditionalGeneration,
  PyAnnoteForAudioFrameClassification,
  WhisperForConditionalGeneration,
  type PreTrainedModel,
} from '@huggingface/transformers';
import type { RungId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { EngineModel } from '@workers/model-store/catalog.ts';
import { toModelError } from '@workers/model-store/model-fetch.ts';
import { loadEmbedding } from './embedding.ts';
import type { MelExtractor } from './log-mel.ts';
import { MarianTranslator, targetPrefix } from './marian.ts';
import type { Model } from './model.ts';
import { MoonshineRecognizer } from './moonshine.ts';
import { PyannoteSegmentation } from './segmentation.ts';
import { modelError, type StepRunner } from './step-runner.ts';
import { WhisperRecognizer } from './whisper.ts';

export interface LoadedModel {
  readonly model: Model;
  readonly sessions: number;
}

/**
 * Loads a model's files, through the cache, and creates its sessions. The runtime must have been
 * configured for the rung's device.
 *
 * @throws UnisonoError `model-failed`, `out-of-memory`, or what fetching the files throws
 */
export async function loadModel(
  description: EngineModel,
  rung: RungId,
  runner: StepRunner,
): Promise<LoadedModel> {
  const { id, repo, revision } = description;
  const dtype = description.variants[rung];
  if (!dtype) throw new UnisonoError('model-failed', `${id} has no weights for ${rung}.`);
  const device = rung.startsWith('webgpu') ? 'webgpu' : 'wasm';
  const options = { device, dtype: { ...dtype }, revision } as const;
  try {
    if (description.family === 'pyannote') {
      const model = await PyAnnoteForAudioFrameClassification.from_pretrained(repo, options);
      return loaded(model, new PyannoteSegmentation({ id: description.id, model, runner }));
    }
    if (description.family === 'speaker-embedding') {
      const { embedding, model } = await loadEmbedding(description, options, runner);
      return loaded(model, embedding);
    }
    const tokenizer = await AutoTokenizer.from_pretrained(repo, { revision });
    const parts = { tokenizer, runner, random: Math.random };
    switch (description.family) {
      case 'whisper': {
        const extractor: unknown = await AutoFeatureExtractor.from_pretrained(repo, { revision });
        const featureExtractor = extractor as MelExtractor;
        const model = await WhisperForConditionalGeneration.from_pretrained(repo, options);
        return loaded(
          model,
          new WhisperRecognizer({ ...parts, id: description.id, model, featureExtractor }),
        );
      }
      case 'moonshine': {
        const model = await MoonshineForConditionalGeneration.from_pretrained(repo, options);
        return loaded(model, new MoonshineRecognizer({ ...parts, id: description.id, model }));
      }
      case 'marian': {
        const prefix = targetPrefix(tokenizer, description);
        const model = await MarianMTModel.from_pretrained(repo, options);
        return loaded(model, new MarianTranslator({ ...parts, description, prefix, model }));
      }
    }
  } catch (thrown) {
    const error = modelError(thrown);
    throw error.code === 'out-of-memory' ? error : toModelError(thrown, id);
  }
}

const loaded = ({ sessions }: PreTrainedModel, model: LoadedModel['model']): LoadedModel => ({
  model,
  sessions: Object.keys(sessions).length,
});

/** Tells the size of each file that loads read from the cache from now on. Call once, after transformers.js has been configured. */
export function reportReads(onRead: (file: string, bytes: number) => void): void {
  const cache = env.customCache;
  if (!cache) return;
  env.customCache = {
    ...cache,
    match: async (request: string) => {
      const response = (await cache.match(request)) as Response | undefined;
      if (response) onRead(request, Number(response.headers.get('content-length') ?? 0));
      return response;
    },
  };
}
