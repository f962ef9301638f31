import { BLOCK_SAMPLES, type SpeechMessage } from '@core/protocol/audio.ts';
import { sampleIndex, type SourceId } from '@core/protocol/ids.ts';

/** Silence that the gate keeps after the last speech: a pause is announced there. */
const KEPT_SILENCE_SAMPLES = 6 * BLOCK_SAMPLES;

/**
 * What the capture worker sends for one utterance: its samples block by block, the pause after
 * them, and the end. The samples are followed by a little silence, as behind a real gate.
 */
export function utteranceMessages(
  sourceId: SourceId,
  startSample: number,
  speech: Float32Array,
): SpeechMessage[] {
  const start = sampleIndex(startSample);
  const samples = new Float32Array(speech.length + KEPT_SILENCE_SAMPLES);
  samples.set(speech);
  const messages: SpeechMessage[] = [{ type: 'speech-start', sourceId, utterance: start }];
  for (let at = 0; at < samples.length; at += BLOCK_SAMPLES) {
    messages.push({
      type: 'speech-audio',
      sourceId,
      utterance: start,
      start: sampleIndex(startSample + at),
      samples: samples.slice(at, at + BLOCK_SAMPLES),
    });
  }
  const at = sampleIndex(startSample + speech.length);
  const end = sampleIndex(startSample + samples.length);
  messages.push({ type: 'speech-pause', sourceId, utterance: start, at });
  messages.push({ type: 'speech-end', sourceId, utterance: start, end, reason: 'silence' });
  return messages;
}
