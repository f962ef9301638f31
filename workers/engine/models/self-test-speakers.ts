import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { dot } from '@core/speakers/embedding.ts';
import { decodePowerset, LOCAL_SPEAKERS } from '@core/speakers/powerset.ts';
import type { SelfTestReport } from '../inference-protocol.ts';
import type { SpeakerEmbedding } from './embedding.ts';
import type { Segmentation } from './segmentation.ts';

/** Of the clip's frames; a sixth of it is pauses. */
const LEAST_SPEECH = 0.5;
const MOST_IN_SILENCE = 0.1;

/** One voice is nearer to itself than to noise by this much; a broken network makes everything alike. */
const LEAST_MARGIN = 0.1;

const never = () => new AbortController().signal;

/** It hears speech in speech, and none in silence. @param clip 16 kHz, at most 10 s of speech */
export async function testSegmentation(model: Segmentation, clip: Float32Array): Promise<SelfTestReport> {
  const startedMs = performance.now();
  const speech = speechShare(await model.segment(clip, never()));
  const decodeMs = performance.now() - startedMs;
  const silence = speechShare(await model.segment(new Float32Array(clip.length), never()));
  return {
    text: `speech ${percent(speech)}, in silence ${percent(silence)}`,
    right: speech >= LEAST_SPEECH && silence <= MOST_IN_SILENCE,
    decodeMs,
  };
}

/** Both halves of the clip are one voice, and noise is not. @param clip 16 kHz, of one speaker */
export async function testEmbedding(model: SpeakerEmbedding, clip: Float32Array): Promise<SelfTestReport> {
  const middle = Math.floor(clip.length / 2);
  const startedMs = performance.now();
  const first = await model.embed(clip.subarray(0, middle), never());
  const decodeMs = performance.now() - startedMs;
  const second = await model.embed(clip.subarray(middle), never());
  const noise = await model.embed(whiteNoise(), never());
  const [same, other] = [dot(first, second), Math.max(dot(first, noise), dot(second, noise))];
  return {
    text: `same voice ${same.toFixed(2)}, noise ${other.toFixed(2)}`,
    right: same - other >= LEAST_MARGIN,
    decodeMs,
  };
}

/** Part of the frames in which somebody speaks. */
function speechShare(logProbabilities: Float32Array): number {
  const { frames, hard } = decodePowerset(logProbabilities);
  let speech = 0;
  for (let at = 0; at < hard.length; at += LOCAL_SPEAKERS) {
    if (hard.subarray(at, at + LOCAL_SPEAKERS).includes(1)) speech += 1;
  }
  return speech / frames;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** 2 s at -26 dB, the same every time (Lehmer's generator). */
function whiteNoise(): Float32Array {
  let state = 1;
  return Float32Array.from({ length: 2 * SAMPLE_RATE_HZ }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 0.05 * Math.sqrt(3) * (2 * (state / 2_147_483_647) - 1);
  });
}
