import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import type { RecognizerId, SessionStatistics } from '@core/protocol/engine.ts';
import { newSessionId, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import type { Language } from '@core/transcript/types.ts';
import type { EngineClient } from '@src/engine/engine-client.ts';

/** The app's own way from samples to the engine: capture worker and gate, without page and worklet. */
export interface Recording {
  readonly sessionId: SessionId;
  /** Takes the samples (mono, 16 kHz) away from the caller. @param start index of the first one */
  push(samples: Float32Array<ArrayBuffer>, start: number): void;
  /** Resolves when the gate has taken every block pushed so far. */
  heard(): Promise<void>;
  /** Resolves when the last word is final. */
  close(): Promise<SessionStatistics>;
}

const events: CaptureEvents = {
  level: () => {},
  progress: () => {},
  backlog: () => {},
  vad: () => {},
  sourceFailed: ({ error }) => console.error(error.code, error.message),
  warning: ({ code, message }) => console.error(code, message),
  health: () => {},
};

/** A new recording of one source. */
export async function openRecording(
  client: EngineClient,
  recognizer: RecognizerId,
  language: Language,
  kind: 'microphone' | 'file',
): Promise<Recording> {
  const sessionId = newSessionId();
  const sourceId = `bench-${sessionId}` as SourceId;
  const worker = new Worker(new URL('../../workers/capture/capture.worker.ts', import.meta.url), {
    type: 'module',
  });
  const capture = createRpc<CaptureApi, CaptureEvents>(worker, events);
  const settings = { recognizer, languages: [language], chineseScript: 'simplified' } as const;
  await capture.open({ sessionId, tab: client.tab, settings }, client.openPort(sessionId));
  const pcm = new MessageChannel();
  await capture.addLive({ sourceId, kind, offsetMs: 0 }, pcm.port1);
  let pushed = 0;
  let returned = 0;
  let settle = () => {};
  pcm.port2.onmessage = () => {
    returned++;
    if (returned === pushed) settle();
  };
  return {
    sessionId,
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
      worker.terminate();
      return statistics;
    },
  };
}
