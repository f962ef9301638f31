import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { isKnownAnswer, KNOWN_ANSWER_URL } from '@core/text/known-answer.ts';
import { textOf, type Language } from '@core/transcript/types.ts';
import type { SelfTestReport } from '../inference-protocol.ts';
import type { Model } from './model.ts';
import type { Recognizer } from './recognizer.ts';
import { testEmbedding, testSegmentation } from './self-test-speakers.ts';
import type { Translator } from './translator.ts';

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

/** A sentence, and what no translation of it into this language lacks, however it is worded. */
const KNOWN_SENTENCE: Readonly<
  Record<Language, { readonly text: string; readonly essential: readonly RegExp[] }>
> = {
  en: { text: 'Thank you very much for coming today.', essential: [/thank/i, /today/i] },
  es: { text: 'Muchas gracias por venir hoy.', essential: [/gracias/i, /\bhoy\b/i] },
  fr: { text: "Merci beaucoup d'être venus aujourd'hui.", essential: [/merci/i, /aujourd['’]hui/i] },
  zh: { text: '非常感谢你们今天的到来。', essential: [/谢|感激/u, /今[天日]/u] },
};

const never = () => new AbortController().signal;

async function testRecognizer(recognizer: Recognizer): Promise<SelfTestReport> {
  const options = { languages: ['en'], wordTimestamps: false, temperature: 0 } as const;
  const { words, decodeMs } = await recognizer.recognize(await knownAnswerClip(), options, never());
  const text = textOf(words);
  return { text, right: isKnownAnswer(text), decodeMs };
}

async function testTranslator(translator: Translator): Promise<SelfTestReport> {
  const { text: source } = KNOWN_SENTENCE[translator.from];
  const { text, truncated, decodeMs } = await translator.translate(source, { careful: false }, never());
  const { essential } = KNOWN_SENTENCE[translator.to];
  return { text, right: !truncated && essential.every((word) => word.test(text)), decodeMs };
}

/**
 * Runs what is known through a model: one that loads without error may still compute nonsense on a device. The model
 * must be warm, as its first run is slower than the later ones.
 *
 * @throws UnisonoError `internal` without the known-answer clip, and what the model throws
 */
export async function runSelfTest(model: Model): Promise<SelfTestReport> {
  if ('translate' in model) return testTranslator(model);
  if ('segment' in model) return testSegmentation(model, await knownAnswerClip());
  if ('embed' in model) return testEmbedding(model, await knownAnswerClip());
  return testRecognizer(model);
}
