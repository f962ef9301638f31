import { AutoConfig, AutoFeatureExtractor, AutoModel, type PreTrainedModel } from '@huggingface/transformers';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { SpeakerEmbeddingId } from '@core/protocol/engine.ts';
import { unit, type Embedding } from '@core/speakers/embedding.ts';
import type { SpeakerEmbeddingModel } from '@workers/model-store/catalog.ts';
import type { InferenceSession } from 'onnxruntime-web';
import { fbank, type FbankExtractor } from './fbank.ts';
import type { StepRunner } from './step-runner.ts';
import { floatsOf, TensorScope } from './tensors.ts';

/** Makes vectors of voices, by one loaded model. Calls must not overlap. */
export interface SpeakerEmbedding {
  readonly id: SpeakerEmbeddingId;
  /**
   * The voice that speaks, as a vector of length 1. Only vectors of the same model can be compared.
   *
   * @param samples mono 16 kHz in [-1, 1] of one speaker, pauses left out; half a second at the least, better three
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  embed(samples: Float32Array, signal: AbortSignal): Promise<Embedding>;
  dispose(): Promise<void>;
}

/** What a model's network takes: one tensor. */
interface FrontEnd {
  /** Values and shape. */
  (samples: Float32Array): Promise<{ readonly data: Float32Array; readonly dims: number[] }>;
}

const waveform: FrontEnd = (samples) => Promise.resolve({ data: samples, dims: [1, samples.length] });

class NetworkEmbedding implements SpeakerEmbedding {
  readonly id: SpeakerEmbeddingId;
  readonly #frontEnd: FrontEnd;
  readonly #model: PreTrainedModel;
  readonly #runner: StepRunner;

  constructor(id: SpeakerEmbeddingId, frontEnd: FrontEnd, model: PreTrainedModel, runner: StepRunner) {
    this.id = id;
    this.#frontEnd = frontEnd;
    this.#model = model;
    this.#runner = runner;
  }

  async embed(samples: Float32Array, signal: AbortSignal): Promise<Embedding> {
    const { data, dims } = await this.#frontEnd(samples);
    const session = this.#model.sessions.model as InferenceSession;
    const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
    const scope = new TensorScope();
    try {
      const tensor = scope.floats(data, dims);
      const outputs = await this.#runner.run(session, { [input]: tensor }, [output], scope, signal);
      const embedding = unit(floatsOf(outputs[output]!));
      if (!embedding.every(Number.isFinite))
        throw new UnisonoError('model-failed', 'A voice without numbers.');
      return embedding;
    } finally {
      scope.freeAll();
    }
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }
}

/** What the model's config.json says (the fields used here). */
interface EmbeddingConfig {
  readonly model_type: string;
  /** `waveform` where the front end is part of the graph. */
  readonly input?: string;
}

/**
 * Loads the network and the front end that its config asks for. A front end that is not known here is found out before
 * the graph is fetched.
 *
 * @throws UnisonoError `model-corrupt` for such a one
 */
export async function loadEmbedding(
  { id, repo, revision }: Pick<SpeakerEmbeddingModel, 'id' | 'repo' | 'revision'>,
  options: NonNullable<Parameters<typeof AutoModel.from_pretrained>[1]>,
  runner: StepRunner,
): Promise<{ readonly embedding: SpeakerEmbedding; readonly model: PreTrainedModel }> {
  const config = (await AutoConfig.from_pretrained(repo, { revision })) as unknown as EmbeddingConfig;
  const frontEnd = await frontEndOf(config, repo, revision);
  const model = await AutoModel.from_pretrained(repo, options);
  return { embedding: new NetworkEmbedding(id, frontEnd, model, runner), model };
}

async function frontEndOf(config: EmbeddingConfig, repo: string, revision: string): Promise<FrontEnd> {
  if (config.input === 'waveform') return waveform;
  if (config.model_type === 'wespeaker-resnet') {
    const extractor: unknown = await AutoFeatureExtractor.from_pretrained(repo, { revision });
    return (samples) => fbank(extractor as FbankExtractor, samples);
  }
  throw new UnisonoError('model-corrupt', `${repo} is no speaker embedding that is known here.`);
}
