import type { Tensor } from '@huggingface/transformers';

/** transformers.js' WeSpeakerFeatureExtractor, as far as it is used here. */
export type FbankExtractor = (audio: Float32Array) => Promise<{ readonly input_features: Tensor }>;

export interface Fbank {
  /** Frames of 10 ms × 80 bands, frame after frame. */
  readonly data: Float32Array;
  /** [1, frames, 80] */
  readonly dims: number[];
}

/**
 * Kaldi's log-mel filter bank as WeSpeaker was trained on it: 80 bands, 25 ms every 10 ms, each band's mean over the
 * utterance subtracted. That the extractor does only where the published config says `fbank_centering_span: null`; a
 * second time it changes nothing.
 */
export async function fbank(extract: FbankExtractor, audio: Float32Array): Promise<Fbank> {
  const { input_features } = await extract(audio);
  const data = input_features.data as Float32Array;
  const [, frames = 0, bands = 0] = input_features.dims;
  for (let band = 0; band < bands; band += 1) {
    let sum = 0;
    for (let at = band; at < data.length; at += bands) sum += data[at]!;
    for (let at = band; at < data.length; at += bands) data[at]! -= sum / frames;
  }
  return { data, dims: [1, frames, bands] };
}
