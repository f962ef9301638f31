import { env, pipeline, type AutomaticSpeechRecognitionPipeline } from '@huggingface/transformers';
import { createRpc } from '@core/protocol/rpc.ts';

/**
 * transformers.js as its documentation shows it: one pipeline in one worker, on WASM in q8, with nothing
 * of this project's around it. What every comparison with "plain" means.
 */
const REPOSITORIES = {
  'whisper-tiny': 'Xenova/whisper-tiny',
  'moonshine-tiny': 'onnx-community/moonshine-tiny-ONNX',
} as const;

export type PlainModel = keyof typeof REPOSITORIES;

export interface PlainText {
  readonly text: string;
  /** Wall time of the call, ms. */
  readonly decodeMs: number;
}

export interface PlainApi {
  /** Loads one model and runs it once, so that later calls are warm. A worker holds one model. */
  load(model: PlainModel): Promise<void>;
  /** Audio is mono 16 kHz float32. `language` is an ISO 639-1 code; Moonshine reads English only. */
  transcribe(audio: Float32Array, language: string): Promise<PlainText>;
}

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = '/models/';
env.useBrowserCache = false;
if (env.backends.onnx.wasm) env.backends.onnx.wasm.wasmPaths = __ORT_URL__;

let recognizer: AutomaticSpeechRecognitionPipeline;
let multilingual = false;

async function transcribe(audio: Float32Array, language: string): Promise<PlainText> {
  const startedAt = performance.now();
  // Longer audio is cut without chunks; 30 s exactly is a known trap.
  const long = audio.length > 29 * 16_000 ? { chunk_length_s: 29, stride_length_s: 5 } : {};
  const options = multilingual ? { language, task: 'transcribe', ...long } : {};
  // One clip in, one text out.
  const { text } = (await recognizer(audio, options)) as { text: string };
  return { text, decodeMs: performance.now() - startedAt };
}

const api: PlainApi = {
  async load(model) {
    multilingual = model.startsWith('whisper');
    recognizer = await pipeline('automatic-speech-recognition', REPOSITORIES[model], {
      device: 'wasm',
      dtype: 'q8',
    });
    await transcribe(new Float32Array(2 * 16_000), 'en');
  },
  transcribe,
};

createRpc<object, PlainApi>(self, api);
