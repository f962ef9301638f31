import type { RecognizerId, RungId } from '@core/protocol/engine.ts';
import { LANGUAGES, type Language } from '@core/transcript/types.ts';
import { isStarterFile } from './starter.ts';

export type VadModelId = 'silero-v6' | 'silero-legacy';
type ModelId = RecognizerId | VadModelId;

/** Precision of a graph: what `from_pretrained` calls dtype. */
type Precision = 'fp32' | 'fp16' | 'q8' | 'q4';

/** Precision of each graph of an encoder-decoder model, keyed as transformers.js wants it. */
interface Variant {
  readonly encoder_model: Precision;
  readonly decoder_model_merged: Precision;
}

interface ModelBase {
  readonly id: ModelId;
  /** `org/repo` on the hub, and folder in the starter pack. */
  readonly repo: string;
  /** Branch, tag or commit on the hub. */
  readonly revision: string;
  readonly licence: string;
}

export interface RecognizerModel extends ModelBase {
  readonly id: RecognizerId;
  readonly family: 'whisper' | 'moonshine';
  readonly parameters: number;
  /** Of the languages the app offers, those this model reads. */
  readonly languages: readonly Language[];
  /** Rungs of the device ladder it can stand on, best first. */
  readonly variants: Readonly<Partial<Record<RungId, Variant>>>;
}

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

const whisper = (id: RecognizerId, parameters: number): RecognizerModel => ({
  id,
  parameters,
  family: 'whisper',
  repo: `Xenova/${id}`,
  revision: 'main',
  licence: 'Apache-2.0 (weights: OpenAI, MIT)',
  languages: LANGUAGES,
  variants: VARIANTS,
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
  },
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

const CONFIG_FILES = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

const SUFFIX: Record<Precision, string> = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4' };

/** Path of a file in the starter pack and in the cache: `org/repo/file`. */
export const pathOf = (model: ModelBase, file: string): string => `${model.repo}/${file}`;

/**
 * Every file that loading this variant reads, and no other, as `org/repo/file`. Empty when the
 * model has no variant for the rung.
 */
export function filesOf(model: RecognizerModel, rung: RungId): readonly string[] {
  const variant = model.variants[rung];
  if (!variant) return [];
  const graphs = Object.entries(variant).map(
    ([graph, precision]) => `onnx/${graph}${SUFFIX[precision as Precision]}.onnx`,
  );
  return [...CONFIG_FILES, ...graphs].map((file) => pathOf(model, file));
}

const BYTES_PER_PARAMETER: Record<Precision, number> = { fp32: 4, fp16: 2, q8: 1, q4: 1 };

/** What the variant's weights take in memory, about: graphs repeat some of them and keep some in full precision. */
export const weightBytes = (model: RecognizerModel, rung: RungId): number =>
  model.parameters * BYTES_PER_PARAMETER[model.variants[rung]?.decoder_model_merged ?? 'fp32'];

/** Whether the variant comes with the app; otherwise its files are downloaded from the hub. */
export const isInStarterPack = (model: RecognizerModel, rung: RungId): boolean => {
  const files = filesOf(model, rung);
  return files.length > 0 && files.every(isStarterFile);
};
