import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { isKnownAnswer, KNOWN_ANSWER_URL } from '@core/text/known-answer.ts';
import { textOf } from '@core/transcript/types.ts';
import type { SelfTestReport } from '../inference-protocol.ts';
import type { Recognizer } from './recognizer.ts';

/**
 * Samples of a mono 16-bit PCM WAV at 16 kHz, in [-1, 1].
 *
 * @throws UnisonoError `internal` for any other file
 */
export function samplesOfWav(file: ArrayBuffer): Float32Array {
  const view = new DataView(file);
  const tag = (at: number) => String.fromCharCode(...new Uint8Array(file, at, 4));
  let right = false;
  for (let at = 12; at + 8 <= file.byteLength;) {
    const body = at + 8;
    const size = view.getUint32(at + 4, true);
    if (tag(at) === 'fmt ') {
      const [kind, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(body + offset, true));
      right =
        kind === 1 && channels === 1 && bits === 16 && view.getUint32(body + 4, true) === SAMPLE_RATE_HZ;
    }
    if (tag(at) === 'data' && right) {
      const length = Math.floor(Math.min(size, file.byteLength - body) / 2);
      return Float32Array.from({ length }, (_, index) => view.getInt16(body + index * 2, true) / 32_768);
    }
    at = body + size + (size % 2);
  }
  throw new UnisonoError('internal', 'The known-answer clip is not a mono 16-bit WAV at 16 kHz.');
}

async function knownAnswerClip(): Promise<Float32Array> {
  const response = await fetch(KNOWN_ANSWER_URL);
  if (!response.ok)
    throw new UnisonoError('internal', `The known-answer clip is missing (${response.status}).`);
  return samplesOfWav(await response.arrayBuffer());
}

/**
 * Decodes the known-answer clip: a model that loads without error may still compute nonsense on a
 * device. The model must be warm, as its first run is slower than the later ones.
 *
 * @throws UnisonoError `internal` without the clip, and what {@link Recognizer.recognize} throws
 */
export async function runSelfTest(recognizer: Recognizer): Promise<SelfTestReport> {
  const { words, decodeMs } = await recognizer.recognize(
    await knownAnswerClip(),
    { languages: ['en'], wordTimestamps: false, temperature: 0 },
    new AbortController().signal,
  );
  const text = textOf(words);
  return { text, right: isKnownAnswer(text), decodeMs };
}
