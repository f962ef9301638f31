import { samplesToMs } from '@core/protocol/audio.ts';
import type { EngineEvent, RecognizerId } from '@core/protocol/engine.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { textOf, type Language, type Segment } from '@core/transcript/types.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import type { LiveResult } from './demo.ts';
import { playInRealTime, type SpeechSpan } from './pace.ts';
import { openRecording } from './recording.ts';

/** What the app itself reads of audio played in real time. */
export interface OursResult extends LiveResult {
  /** The final segments, in order. Times are on the played audio's clock. */
  readonly segments: readonly Segment[];
}

/** How far before the end of speech, as energy shows it, the last word's segment may end. */
const END_TOLERANCE_MS = 500;

/** What a recording's engine has said so far. */
interface Heard {
  readonly segments: Segment[];
  firstCommittedAt: number | null;
  lastFinalAt: number | null;
}

export class Ours {
  readonly #client = new EngineClient();
  readonly #recognizer: RecognizerId;

  constructor(recognizer: RecognizerId) {
    this.#recognizer = recognizer;
  }

  /** Loads the model, with its self-test the first time. */
  async ready(): Promise<string> {
    const { rung, selfTest } = await this.#client.prepare(this.#recognizer);
    const tried = selfTest.map(({ rung, outcome, decodeMs }) => `${rung} ${outcome} ${decodeMs ?? '–'} ms`);
    return `${this.#recognizer} runs on ${rung}: ${tried.join(', ')}`;
  }

  /** Plays the audio in real time, on into silence until the last utterance is final. */
  async live(audio: Float32Array, speech: SpeechSpan, language: Language): Promise<OursResult> {
    const recording = await openRecording(this.#client, this.#recognizer, language, 'microphone');
    const heard: Heard = { segments: [], firstCommittedAt: null, lastFinalAt: null };
    const unsubscribe = this.#client.subscribe((event) => onEvent(heard, recording.sessionId, event));
    const complete = () => (heard.segments.at(-1)?.endMs ?? 0) >= speech.endMs - END_TOLERANCE_MS;
    const startedAt = await playInRealTime(
      audio,
      (samples, start) => recording.push(samples, start),
      complete,
    );
    const { partialCalls, finalCalls, decodedAudioS } = await recording.close();
    unsubscribe();
    const finalAt = heard.lastFinalAt ?? performance.now();
    return {
      text: textOfSegments(heard.segments),
      segments: heard.segments,
      endToFinalMs: finalAt - startedAt - speech.endMs,
      onsetToFirstMs: (heard.firstCommittedAt ?? finalAt) - startedAt - speech.startMs,
      calls: partialCalls + finalCalls,
      decodedAudioS,
      meetingS: (finalAt - startedAt) / 1000,
    };
  }

  /** Wall time of the audio as an imported file's: as fast as it goes, ms. */
  async importMs(audio: Float32Array, language: Language): Promise<number> {
    const recording = await openRecording(this.#client, this.#recognizer, language, 'file');
    const startedAt = performance.now();
    for (let start = 0; start + 512 <= audio.length; start += 512)
      recording.push(audio.slice(start, start + 512), start);
    await recording.heard();
    await recording.close();
    return performance.now() - startedAt;
  }
}

function onEvent(heard: Heard, sessionId: SessionId, event: EngineEvent): void {
  if (event.type !== 'partial' && event.type !== 'segment') return;
  if (event.sessionId !== sessionId) return;
  if (event.segment.committed.length > 0) heard.firstCommittedAt ??= performance.now();
  if (event.type !== 'segment') return;
  heard.segments.push(event.segment);
  heard.segments.sort((a, b) => a.startMs - b.startMs);
  heard.lastFinalAt = performance.now();
}

const textOfSegments = (segments: readonly Segment[]) =>
  segments.map(({ committed }) => textOf(committed)).join(' ');

/** The part of the audio that a segment stands for. */
export const audioOf = (audio: Float32Array, { startMs, endMs }: Segment): Float32Array =>
  audio.slice(Math.round(startMs * 16), Math.min(audio.length, Math.round(endMs * 16)));

export const secondsOf = (audio: Float32Array): number => samplesToMs(audio.length) / 1000;
