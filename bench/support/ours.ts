import { samplesToMs } from '@core/protocol/audio.ts';
import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import type { EngineEvent, RecognizerId, SessionStatistics } from '@core/protocol/engine.ts';
import { newSessionId, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { textOf, type Language, type Segment } from '@core/transcript/types.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import type { LiveResult } from './demo.ts';
import { playInRealTime, type SpeechSpan } from './pace.ts';

/** The app's own way from samples to text: capture worker (gate) and engine, without page and worklet. */
export interface OursResult extends LiveResult {
  /** The final segments, in order. Times are on the played audio's clock. */
  readonly segments: readonly Segment[];
}

/** How far before the end of speech, as energy shows it, the last word's segment may end. */
const END_TOLERANCE_MS = 500;

const silentEvents: CaptureEvents = {
  level: () => {},
  progress: () => {},
  backlog: () => {},
  vad: () => {},
  sourceFailed: ({ error }) => console.error(error.code, error.message),
  warning: ({ code, message }) => console.error(code, message),
  health: () => {},
};

interface OpenSession {
  readonly id: SessionId;
  readonly segments: Segment[];
  firstCommittedAt: number | null;
  lastFinalAt: number | null;
  push(samples: Float32Array<ArrayBuffer>, start: number): void;
  /** Resolves when the gate has taken every block pushed so far. */
  heard(): Promise<void>;
  close(): Promise<SessionStatistics>;
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
    const session = await this.#open(language, 'microphone');
    const complete = () => (session.segments.at(-1)?.endMs ?? 0) >= speech.endMs - END_TOLERANCE_MS;
    const startedAt = await playInRealTime(audio, (samples, start) => session.push(samples, start), complete);
    const { partialCalls, finalCalls, decodedAudioS } = await session.close();
    const finalAt = session.lastFinalAt ?? performance.now();
    return {
      text: textOfSegments(session.segments),
      segments: session.segments,
      endToFinalMs: finalAt - startedAt - speech.endMs,
      onsetToFirstMs: (session.firstCommittedAt ?? finalAt) - startedAt - speech.startMs,
      calls: partialCalls + finalCalls,
      decodedAudioS,
      meetingS: (finalAt - startedAt) / 1000,
    };
  }

  /** Wall time of the audio as an imported file's: as fast as it goes, ms. */
  async importMs(audio: Float32Array, language: Language): Promise<number> {
    const session = await this.#open(language, 'file');
    const startedAt = performance.now();
    for (let start = 0; start + 512 <= audio.length; start += 512)
      session.push(audio.slice(start, start + 512), start);
    await session.heard();
    await session.close();
    return performance.now() - startedAt;
  }

  async #open(language: Language, kind: 'microphone' | 'file'): Promise<OpenSession> {
    const id = newSessionId();
    const sourceId = `bench-${id}` as SourceId;
    const worker = new Worker(new URL('../../workers/capture/capture.worker.ts', import.meta.url), {
      type: 'module',
    });
    const capture = createRpc<CaptureApi, CaptureEvents>(worker, silentEvents);
    const { tab } = this.#client;
    const settings = {
      recognizer: this.#recognizer,
      languages: [language],
      chineseScript: 'simplified',
    } as const;
    await capture.open({ sessionId: id, tab, settings }, this.#client.openPort(id));
    const pcm = new MessageChannel();
    await capture.addLive({ sourceId, kind, offsetMs: 0 }, pcm.port1);
    const unsubscribe = this.#client.subscribe((event) => onEvent(session, event));
    let pushed = 0;
    let returned = 0;
    let settle = () => {};
    pcm.port2.onmessage = () => {
      returned++;
      if (returned === pushed) settle();
    };
    const session: OpenSession = {
      id,
      segments: [],
      firstCommittedAt: null,
      lastFinalAt: null,
      push: (samples, start) => {
        pushed++;
        pcm.port2.postMessage({ type: 'block', start, samples }, [samples.buffer]);
      },
      heard: () =>
        new Promise((resolve) => {
          settle = resolve;
          if (returned === pushed) resolve();
        }),
      close: async () => {
        await capture.endSource(sourceId);
        await capture.close();
        const statistics = await capture.finish(false);
        unsubscribe();
        worker.terminate();
        return statistics;
      },
    };
    return session;
  }
}

function onEvent(session: OpenSession, event: EngineEvent): void {
  if (event.type !== 'partial' && event.type !== 'segment') return;
  if (event.sessionId !== session.id) return;
  if (event.segment.committed.length > 0) session.firstCommittedAt ??= performance.now();
  if (event.type !== 'segment') return;
  session.segments.push(event.segment);
  session.segments.sort((a, b) => a.startMs - b.startMs);
  session.lastFinalAt = performance.now();
}

const textOfSegments = (segments: readonly Segment[]) =>
  segments.map(({ committed }) => textOf(committed)).join(' ');

/** The part of the audio that a segment stands for. */
export const audioOf = (audio: Float32Array, { startMs, endMs }: Segment): Float32Array =>
  audio.slice(Math.round(startMs * 16), Math.min(audio.length, Math.round(endMs * 16)));

export const secondsOf = (audio: Float32Array): number => samplesToMs(audio.length) / 1000;
