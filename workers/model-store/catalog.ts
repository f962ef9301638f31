import {
  TRANSLATOR_IDS,
  type ModelId,
  type RecognizerId,
  type RungId,
  type SegmentationId,
  type SpeakerEmbeddingId,
  type SpeakerModelId,
  type TranslatorId,
} from '@core/protocol/engine.ts';
import { LANGUAGES, type Language } from '@core/transcript/types.ts';
import { isStarterFile } from './starter.ts';

export type VadModelId = 'silero-v6' | 'silero-legacy';

/** Precision of a graph: what `from_pretrained` calls dtype. */
type Precision = 'fp32' | 'fp16' | 'q8' | 'q4';

/** Precision of each graph, keyed as transformers.js wants it: an encoder and a decoder, or one for all. */
type Variant =
  | { readonly encoder_model: Precision; readonly decoder_model_merged: Precision }
  | { readonly model: Precision };

interface ModelBase {
  readonly id: ModelId | VadModelId;
  /** `org/repo` on the hub, and folder in the starter pack. */
  readonly repo: string;
  /** Branch, tag or commit on the hub. */
  readonly revision: string;
  readonly licence: string;
}

/** A model that the engine loads. */
interface EngineModelBase extends ModelBase {
  readonly id: ModelId;
  readonly parameters: number;
  /** Rungs of the device ladder it can stand on, best first. */
  readonly variants: Readonly<Partial<Record<RungId, Variant>>>;
  /** What loading reads beside the graphs. */
  readonly configFiles: readonly string[];
}

export interface RecognizerModel extends EngineModelBase {
  readonly id: RecognizerId;
  readonly family: 'whisper' | 'moonshine';
  /** Of the languages the app offers, those this model reads. */
  readonly languages: readonly Language[];
}

export interface TranslatorModel extends EngineModelBase {
  readonly id: TranslatorId;
  readonly family: 'marian';
  readonly from: Language;
  readonly to: Language;
  /** Token that has to stand before the text, where the model knows several targets. */
  readonly targetToken?: string;
}

/** Tells the speakers of 10 s apart. */
export interface SegmentationModel extends EngineModelBase {
  readonly id: SegmentationId;
  readonly family: 'pyannote';
}

/** Makes vectors of voices. Which front end it needs, its config.json says. */
export interface SpeakerEmbeddingModel extends EngineModelBase {
  readonly id: SpeakerEmbeddingId;
  readonly family: 'speaker-embedding';
}

export type EngineModel = RecognizerModel | TranslatorModel | SegmentationModel | SpeakerEmbeddingModel;

export interface VadModel extends ModelBase {
  readonly id: VadModelId;
  readonly family: 'silero-vad';
  readonly file: string;
}

const both = (precision: Precision): Variant => ({
  encoder_model: precision,
  decoder_model_merged: precision,
});

const VARIANTS = {
  'webgpu-fp16': both('fp16'),
  'webgpu-fp32': both('fp32'),
  'webgpu-q4': both('q4'),
  'webgpu-q8': both('q8'),
  'wasm-threads': both('q8'),
  wasm: both('q8'),
} as const satisfies Record<RungId, Variant>;

const TEXT_FILES = ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'];
const SPEECH_FILES = [...TEXT_FILES, 'preprocessor_config.json'];

const whisper = (id: RecognizerId, parameters: number): RecognizerModel => ({
  id,
  parameters,
  family: 'whisper',
  repo: `Xenova/${id}`,
  revision: 'main',
  licence: 'Apache-2.0 (weights: OpenAI, MIT)',
  languages: LANGUAGES,
  variants: VARIANTS,
  configFiles: SPEECH_FILES,
});

export const RECOGNIZER_MODELS: Readonly<Record<RecognizerId, RecognizerModel>> = {
  'whisper-tiny': whisper('whisper-tiny', 39e6),
  'whisper-base': whisper('whisper-base', 74e6),
  'whisper-small': whisper('whisper-small', 244e6),
  'moonshine-tiny': {
    id: 'moonshine-tiny',
    family: 'moonshine',
    parameters: 27e6,
    repo: 'onnx-community/moonshine-tiny-ONNX',
    revision: 'main',
    licence: 'MIT (Useful Sensors)',
    languages: ['en'],
    variants: VARIANTS,
    configFiles: SPEECH_FILES,
  },
};

/** OPUS-MT (Tiedemann and Thottingal 2020), Marian transformers of one direction each. */
const opusMt = (id: TranslatorId): TranslatorModel => {
  const [from, to] = id.slice('opus-mt-'.length).split('-') as [Language, Language];
  return {
    id,
    from,
    to,
    family: 'marian',
    parameters: 77e6,
    repo: `Xenova/${id}`,
    revision: 'main',
    licence: 'Apache-2.0 or CC-BY-4.0 (Helsinki-NLP)',
    variants: VARIANTS,
    configFiles: TEXT_FILES,
    ...(to === 'zh' && { targetToken: '>>cmn_Hans<<' }),
  };
};

export const TRANSLATOR_MODELS = Object.fromEntries(
  TRANSLATOR_IDS.map((id) => [id, opusMt(id)]),
) as unknown as Readonly<Record<TranslatorId, TranslatorModel>>;

export const SPEAKER_MODELS = {
  'pyannote-segmentation-3.0': {
    id: 'pyannote-segmentation-3.0',
    family: 'pyannote',
    parameters: 1.5e6,
    repo: 'onnx-community/pyannote-segmentation-3.0',
    revision: 'main',
    licence: 'MIT (CNRS)',
    // ONNX Runtime has no LSTM for WebGPU: there it would run on the CPU all the same.
    variants: { 'wasm-threads': { model: 'q8' }, wasm: { model: 'q8' } },
    configFiles: ['config.json'],
  },
  'wespeaker-resnet34-lm': {
    id: 'wespeaker-resnet34-lm',
    family: 'speaker-embedding',
    parameters: 6.6e6,
    repo: 'onnx-community/wespeaker-voxceleb-resnet34-LM',
    revision: 'main',
    licence: 'CC-BY-4.0 (WeSpeaker)',
    // 27 MB at the most. What quantization does to the distances between voices is not measured.
    variants: {
      'webgpu-fp32': { model: 'fp32' },
      'wasm-threads': { model: 'fp32' },
      wasm: { model: 'fp32' },
    },
    configFiles: ['config.json', 'preprocessor_config.json'],
  },
} as const satisfies Readonly<Record<SpeakerModelId, SegmentationModel | SpeakerEmbeddingModel>>;

export const MODELS: Readonly<Record<ModelId, EngineModel>> = {
  ...RECOGNIZER_MODELS,
  ...TRANSLATOR_MODELS,
  ...SPEAKER_MODELS,
};

const silero = (id: VadModelId, file: string): VadModel => ({
  id,
  family: 'silero-vad',
  repo: 'unisono/silero-vad',
  revision: 'main',
  licence: 'MIT (Silero Team)',
  file,
});

export const VAD_MODELS: Readonly<Record<VadModelId, VadModel>> = {
  'silero-v6': silero('silero-v6', 'silero_vad_v6.onnx'),
  'silero-legacy': silero('silero-legacy', 'silero_vad_legacy.onnx'),
};

const SUFFIX: Record<Precision, string> = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4' };

/** Path of a file in the starter pack and in the cache: `org/repo/file`. */
export const pathOf = (model: ModelBase, file: string): string => `${model.repo}/${file}`;

/**
 * Every file that loading this variant reads, and no other, as `org/repo/file`. Empty when the
 * model has no variant for the rung.
 */
export function filesOf(model: EngineModel, rung: RungId): readonly string[] {
  const variant = model.variants[rung];
  if (!variant) return [];
  const graphs = Object.entries(variant).map(
    ([graph, precision]) => `onnx/${graph}${SUFFIX[precision]}.onnx`,
  );
  return [...model.configFiles, ...graphs].map((file) => pathOf(model, file));
}

const BYTES_PER_PARAMETER: Record<Precision, number> = { fp32: 4, fp16: 2, q8: 1, q4: 1 };

/** What the variant's weights take in memory, about: graphs repeat some of them and keep some in full precision. */
export function weightBytes(model: EngineModel, rung: RungId): number {
  const variant = model.variants[rung] ?? { model: 'fp32' };
  const precision = 'model' in variant ? variant.model : variant.decoder_model_merged;
  return model.parameters * BYTES_PER_PARAMETER[precision];
}

/** Whether the variant comes with the app; otherwise its files are downloaded from the hub. */
export const isInStarterPack = (model: EngineModel, rung: RungId): boolean => {
  const files = filesOf(model, rung);
  return files.length > 0 && files.every(isStarterFile);
};
