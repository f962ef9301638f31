import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { Model } from './model.ts';

/** Loud enough not to be taken for silence, short enough to be quick. */
const audio = () => Float32Array.from({ length: SAMPLE_RATE_HZ }, (_, n) => 0.1 * Math.sin(n / 10));

/** Runs a model once, which makes its kernels compile. @throws UnisonoError what the model throws */
export async function warmUp(model: Model): Promise<void> {
  const { signal } = new AbortController();
  if ('translate' in model) await model.translate('OK.', { careful: false }, signal);
  else if ('segment' in model) await model.segment(audio(), signal);
  else if ('embed' in model) await model.embed(audio(), signal);
  else {
    const options = { languages: model.languages, wordTimestamps: true, temperature: 0 };
    await model.recognize(audio(), options, signal);
  }
}
