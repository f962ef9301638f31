import { createRpc } from '@core/protocol/rpc.ts';
import type { RecognizerId, TranslatorId } from '@core/protocol/engine.ts';
import type { Embedding } from '@core/speakers/embedding.ts';
import type { Language } from '@core/transcript/types.ts';
import type {
  Hypothesis,
  InferenceApi,
  InferenceEvents,
  RecognizeOptions,
  TranslatedText,
} from '@workers/engine/inference-protocol.ts';
import { parseWav, resample } from './wav.ts';

let calls = 0;

/** A real inference worker, driven as the engine worker drives it. */
export class TestInference {
  /** Reasons of GPU losses that the worker reported. */
  readonly losses: string[] = [];
  readonly #worker = new Worker(new URL('../../workers/engine/inference.worker.ts', import.meta.url), {
    type: 'module',
  });
  readonly api = createRpc<InferenceApi, InferenceEvents>(this.#worker, {
    progress: () => undefined,
    gpuLost: (reason) => void this.losses.push(reason),
    notStored: () => undefined,
  });

  recognize(
    model: RecognizerId,
    audio: Float32Array,
    options: Partial<RecognizeOptions> = {},
  ): Promise<Hypothesis> & { readonly callId: number } {
    const callId = (calls += 1);
    const all: RecognizeOptions = { languages: ['en'], wordTimestamps: true, temperature: 0, ...options };
    return Object.assign(this.api.recognize(callId, model, audio, all), { callId });
  }

  translate(
    model: TranslatorId,
    text: string,
    careful = false,
  ): Promise<TranslatedText> & { readonly callId: number } {
    const callId = (calls += 1);
    return Object.assign(this.api.translate(callId, model, text, { careful }), { callId });
  }

  /** Who speaks when in at most 10 s. */
  segment(samples: Float32Array): Promise<Float32Array> & { readonly callId: number } {
    const callId = (calls += 1);
    return Object.assign(this.api.segment(callId, 'pyannote-segmentation-3.0', samples), { callId });
  }

  /** Whose voice it is. */
  embed(samples: Float32Array): Promise<Embedding> & { readonly callId: number } {
    const callId = (calls += 1);
    return Object.assign(this.api.embed(callId, 'wespeaker-resnet34-lm', samples), { callId });
  }

  async counters(): Promise<{ readonly steps: number; readonly liveTensors: number }> {
    if (!this.api.counters) throw new Error('built without test hooks');
    return this.api.counters();
  }

  dispose(): void {
    this.api.$close();
    this.#worker.terminate();
  }
}

/** A recording with its transcript, beside the project. */
export interface SpokenClip {
  readonly file: string;
  readonly language: Language;
  readonly text: string;
}

/** Single speakers with a transcript; empty where ../shared is absent. */
export async function spokenClips(): Promise<readonly SpokenClip[]> {
  const response = await fetch('/shared/audio/manifest.json');
  if (!response.ok) {
    console.warn('../shared/audio is absent: tests with real recordings are skipped.');
    return [];
  }
  const { clips } = (await response.json()) as { clips: readonly SpokenClip[] };
  return clips.filter(({ file, text }) => text && /^(en|es|fr|zh)\//.test(file));
}

/** A recording's samples, mono at 16 kHz. */
export async function clipSamples({ file }: SpokenClip): Promise<Float32Array> {
  const response = await fetch(`/shared/audio/${file}`);
  return resample(parseWav(new Uint8Array(await response.arrayBuffer())), 16_000).samples;
}
