import type { Tensor } from '@huggingface/transformers';

/** transformers.js' WhisperFeatureExtractor, as far as it is used here. */
export interface MelExtractor {
  (audio: Float32Array, options: { max_length: number }): Promise<{ input_features: Tensor }>;
  readonly config: { readonly n_fft: number; readonly hop_length: number; readonly nb_max_frames: number };
}

export interface LogMel {
  /** Bands × 3,000 frames of 10 ms, row-major. */
  readonly data: Float32Array;
  /** [1, bands, 3000] */
  readonly dims: number[];
}

/**
 * Whisper's log-mel spectrogram of up to 30 s, padded with silence to 30 s. The silence is not
 * computed but filled in: all its frames are alike, and most utterances are short.
 */
export async function logMel(extract: MelExtractor, audio: Float32Array): Promise<LogMel> {
  const { n_fft, hop_length, nb_max_frames } = extract.config;
  // Far enough behind the audio that the last frame computed holds nothing of it.
  const frames = Math.min(nb_max_frames, Math.ceil((audio.length + 2 * n_fft) / hop_length));
  const { input_features } = await extract(audio, { max_length: frames * hop_length });
  const computed = input_features.data as Float32Array;
  const bands = computed.length / frames;
  const data = new Float32Array(bands * nb_max_frames).fill(computed[frames - 1] ?? 0);
  for (let band = 0; band < bands; band += 1) {
    data.set(computed.subarray(band * frames, (band + 1) * frames), band * nb_max_frames);
  }
  return { data, dims: [1, bands, nb_max_frames] };
}
