import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import type { EngineEvent, EngineReport } from '@core/protocol/engine.ts';
import { newSessionId, type SourceId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { textOf } from '@core/transcript/types.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import { padded, playInRealTime } from './pace.ts';
import { fetchAudio, openPlain, type Plain } from './plain.ts';

/** One tab of the bench `tabs`: what its page does, called from outside. */
const MODEL = 'whisper-tiny';
const CLIP = '/known-answer.wav';
const GAP_MS = 2000;

let client: EngineClient | undefined;
let plain: Plain | undefined;

/** Time from the first line of the app's code until an engine has answered, ms; and whether it has the model. */
export async function attach(): Promise<{ attachMs: number; ready: boolean }> {
  const startedAt = performance.now();
  client = new EngineClient();
  const models = await client.models();
  const attachMs = performance.now() - startedAt;
  return { attachMs, ready: models.some(({ model, state }) => model === MODEL && state === 'ready') };
}

export const prepare = (): Promise<unknown> => client!.prepare(MODEL);

export const report = (): Promise<EngineReport> => client!.report();

/** Time until a tab with a pipeline of its own can read, ms. */
export async function loadPlain(): Promise<number> {
  const startedAt = performance.now();
  plain = await openPlain(MODEL);
  return performance.now() - startedAt;
}

export const closePlain = (): void => plain?.close();

/** JavaScript and WebAssembly memory of this page with its workers, bytes. */
export async function memoryBytes(): Promise<number> {
  const measure = performance as unknown as {
    measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
  };
  return (await measure.measureUserAgentSpecificMemory()).bytes;
}

interface Heard {
  /** `performance.timeOrigin` based, so that another process can compare. */
  readonly atMs: number;
  readonly epoch: number;
  readonly final: boolean;
}

const captions: Heard[] = [];
let recording: { readonly stop: () => Promise<string> } | undefined;

/** Records the known clip again and again, in real time, until {@link stop}. */
export async function record(): Promise<void> {
  const session = newSessionId();
  const sourceId = `bench-${session}` as SourceId;
  const worker = new Worker(new URL('../../workers/capture/capture.worker.ts', import.meta.url), {
    type: 'module',
  });
  const texts = new Map<string, string>();
  client!.subscribe((event: EngineEvent) => {
    if (event.type !== 'partial' && event.type !== 'segment') return;
    const atMs = performance.timeOrigin + performance.now();
    captions.push({ atMs, epoch: client!.owner?.epoch ?? 0, final: event.type === 'segment' });
    if (event.type === 'segment') texts.set(event.segment.id, textOf(event.segment.committed));
  });
  const capture = createRpc<CaptureApi, CaptureEvents>(worker, silent);
  const settings = { recognizer: MODEL, languages: ['en'], chineseScript: 'simplified' } as const;
  await capture.open({ sessionId: session, tab: client!.tab, settings }, client!.openPort(session));
  const pcm = new MessageChannel();
  await capture.addLive({ sourceId, kind: 'microphone', offsetMs: 0 }, pcm.port1);
  pcm.port2.start();

  const clip = padded(await fetchAudio(CLIP), 0, GAP_MS);
  let said = 0;
  const end = new AbortController();
  const playing = (async () => {
    while (!end.signal.aborted) {
      const first = said * clip.length;
      await playInRealTime(clip, (samples, start) => {
        pcm.port2.postMessage({ type: 'block', start: first + start, samples }, [samples.buffer]);
      });
      said++;
    }
  })();
  recording = {
    stop: async () => {
      end.abort();
      await playing;
      await capture.endSource(sourceId);
      await capture.close();
      await capture.finish(false);
      worker.terminate();
      return JSON.stringify({ said, texts: [...texts.values()] });
    },
  };
}

/** Whether somebody speaks now, and has spoken before. */
export const inMidSpeech = (): boolean =>
  captions.some(({ final }) => final) && captions.at(-1)?.final === false;

/** When the first caption of an engine of a later epoch came, ms since 1970; null so far. */
export const firstCaptionAfter = (epoch: number): number | null =>
  captions.find((caption) => caption.epoch > epoch)?.atMs ?? null;

/** Ends the recording. @returns how often the clip was said, and the texts of all segments */
export const stop = async (): Promise<{ said: number; texts: string[] }> =>
  JSON.parse(await recording!.stop()) as { said: number; texts: string[] };

const silent: CaptureEvents = {
  level: () => {},
  progress: () => {},
  backlog: () => {},
  vad: () => {},
  sourceFailed: ({ error }) => console.error(error.code, error.message),
  warning: ({ code, message }) => console.error(code, message),
  health: () => {},
};
