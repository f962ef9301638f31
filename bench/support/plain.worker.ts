import {
  env,
  pipeline,
  type AutomaticSpeechRecognitionPipeline,
  type TranslationPipeline,
} from '@huggingface/transformers';
import type { TranslatorId } from '@core/protocol/engine.ts';
import { createRpc } from '@core/protocol/rpc.ts';

/**
 * transformers.js as its documentation shows it: one pipeline in one worker, on WASM in q8, with nothing
 * of this project's around it. What every comparison with "plain" means.
 */
const RECOGNIZERS = {
  'whisper-tiny': 'Xenova/whisper-tiny',
  'moonshine-tiny': 'onnx-community/moonshine-tiny-ONNX',
} as const;

export type PlainRecognizer = keyof typeof RECOGNIZERS;

export interface PlainText {
  readonly text: string;
  /** Wall time of the call, ms. */
  readonly decodeMs: number;
}

export interface PlainTexts {
  readonly texts: readonly string[];
  /** Wall time of the call, ms. */
  readonly decodeMs: number;
}

export interface PlainApi {
  /** Loads one model and runs it once, so that later calls are warm. A worker holds one model. */
  load(model: PlainRecognizer | TranslatorId): Promise<void>;
  /** Audio is mono 16 kHz float32. `language` is an ISO 639-1 code; Moonshine reads English only. */
  transcribe(audio: Float32Array, language: string): Promise<PlainText>;
  /** Several texts make one batch. */
  translate(texts: readonly string[]): Promise<PlainTexts>;
}

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = '/models/';
env.useBrowserCache = false;
if (env.backends.onnx.wasm) env.backends.onnx.wasm.wasmPaths = __ORT_URL__;

const options = { device: 'wasm', dtype: 'q8' } as const;
let recognizer: AutomaticSpeechRecognitionPipeline;
let multilingual = false;
let translator: TranslationPipeline;
/** What a text has to begin with, where the model knows several targets. */
let target = '';

async function transcribe(audio: Float32Array, language: string): Promise<PlainText> {
  const startedAt = performance.now();
  // Longer audio is cut without chunks; 30 s exactly is a known trap.
  const long = audio.length > 29 * 16_000 ? { chunk_length_s: 29, stride_length_s: 5 } : {};
  const options = multilingual ? { language, task: 'transcribe', ...long } : {};
  // One clip in, one text out.
  const { text } = (await recognizer(audio, options)) as { text: string };
  return { text, decodeMs: performance.now() - startedAt };
}

async function translate(texts: readonly string[]): Promise<PlainTexts> {
  const startedAt = performance.now();
  const sources = texts.map((text) => target + text);
  const found = await translator(sources, { num_beams: 1 });
  return {
    texts: found.map(({ translation_text }) => translation_text),
    decodeMs: performance.now() - startedAt,
  };
}

async function loadRecognizer(model: PlainRecognizer): Promise<void> {
  multilingual = model.startsWith('whisper');
  recognizer = await pipeline('automatic-speech-recognition', RECOGNIZERS[model], options);
  await transcribe(new Float32Array(2 * 16_000), 'en');
}

async function loadTranslator(model: TranslatorId): Promise<void> {
  env.allowRemoteModels = true;
  env.remoteHost = new URL(__HUB_URL__, self.location.origin).href;
  target = model.endsWith('zh') ? '>>cmn_Hans<< ' : '';
  translator = await pipeline('translation', `Xenova/${model}`, options);
  await translate(['OK.']);
}

const isRecognizer = (model: string): model is PlainRecognizer => model in RECOGNIZERS;

const api: PlainApi = {
  load: (model) => (isRecognizer(model) ? loadRecognizer(model) : loadTranslator(model)),
  transcribe,
  translate,
};

createRpc<object, PlainApi>(self, api);
