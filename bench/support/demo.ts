import { samplesToMs } from '@core/protocol/audio.ts';
import { playInRealTime, type SpeechSpan } from './pace.ts';
import type { Plain } from './plain.ts';

/** How one clip went live. Times are wall time, ms. */
export interface LiveResult {
  readonly text: string;
  /** From the end of speech until the text of all of it is there. */
  readonly endToFinalMs: number;
  /** From the onset of speech until the first word that stays (the demo: the first word at all). */
  readonly onsetToFirstMs: number;
  readonly calls: number;
  readonly decodedAudioS: number;
  /** How long the meeting was: audio played until the final text. */
  readonly meetingS: number;
}

const WINDOW_S = 30;
const CADENCE_MS = 1000;

/**
 * The method of the public real-time Whisper demos: every second, unless a call still runs, the last 30 s
 * are decoded again and replace what is shown. Nothing is ever final there; what counts as final here is
 * the first result of a call that began after the end of speech.
 *
 * @param audio what the microphone hears, silence around the speech included
 * @param speech where the speech lies in it
 */
export async function runDemo(
  plain: Plain,
  audio: Float32Array,
  speech: SpeechSpan,
  language: string,
): Promise<LiveResult> {
  const startedAt = performance.now();
  let heard = 0;
  let calledAtMs = 0;
  let calls = 0;
  let decodedAudioS = 0;
  const state: {
    running: Promise<void> | null;
    firstAt: number | null;
    final: { text: string; at: number } | null;
  } = { running: null, firstAt: null, final: null };

  const decode = async () => {
    const heardMs = samplesToMs(heard);
    const window = audio.slice(Math.max(0, heard - WINDOW_S * 16_000), heard);
    calls += 1;
    decodedAudioS += window.length / 16_000;
    const { text } = await plain.transcribe(window, language);
    if (text.trim() !== '' && heardMs > speech.startMs) state.firstAt ??= performance.now();
    if (heardMs >= speech.endMs) state.final ??= { text, at: performance.now() };
  };

  await playInRealTime(
    audio,
    (samples, start) => {
      heard = start + samples.length;
      const nowMs = samplesToMs(heard);
      if (state.running || nowMs - calledAtMs < CADENCE_MS || state.final) return;
      calledAtMs = nowMs;
      state.running = decode().finally(() => (state.running = null));
    },
    () => state.final !== null,
  );
  await state.running;
  if (!state.final) await decode();
  const { text, at } = state.final ?? { text: '', at: performance.now() };
  return {
    text,
    endToFinalMs: at - startedAt - speech.endMs,
    onsetToFirstMs: (state.firstAt ?? at) - startedAt - speech.startMs,
    calls,
    decodedAudioS,
    meetingS: (at - startedAt) / 1000,
  };
}
