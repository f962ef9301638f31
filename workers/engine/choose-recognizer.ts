import type { ModelId, RecognitionSettings, RecognizerId, RungId } from '@core/protocol/engine.ts';

/** What is known of a model on this device. */
export interface Measured {
  readonly failed: boolean;
  readonly rung: RungId | null;
  /** One warm decode of the self-test's clip, ms. */
  readonly decodeMs: number | null;
}

/**
 * The recognizer that `auto` stands for; any other setting is taken as it is.
 *
 * English alone: Moonshine, whose cost follows the length of the utterance, while Whisper pays for
 * 30 s of padding on every call (measured in WASM on two cores, 11 s of speech: 1.0 s against
 * 2.2 s); but Whisper, which has word times and a no-speech probability, where both were measured
 * and it is not slower, as on a GPU. Other languages need Whisper. A model that failed is passed
 * over where another can do the work.
 */
export function chooseRecognizer(
  settings: RecognitionSettings,
  measured: ReadonlyMap<ModelId, Measured>,
): RecognizerId {
  if (settings.recognizer !== 'auto') return settings.recognizer;
  const english = settings.languages.every((language) => language === 'en');
  if (!english) return 'whisper-tiny';
  const moonshine = measured.get('moonshine-tiny');
  const whisper = measured.get('whisper-tiny');
  if (moonshine?.failed) return 'whisper-tiny';
  if (whisper?.failed !== false) return 'moonshine-tiny';
  const whisperMs = whisper.decodeMs ?? Infinity;
  return whisperMs <= (moonshine?.decodeMs ?? 0) ? 'whisper-tiny' : 'moonshine-tiny';
}
