import type { EngineEvent, EngineReport } from '@core/protocol/engine.ts';
import { textOf } from '@core/transcript/types.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import { padded, playInRealTime } from './pace.ts';
import { fetchAudio, openPlain } from './plain.ts';
import { openRecording } from './recording.ts';

/** One tab of the bench `tabs`: what its page does, called from outside. */
const MODEL = 'whisper-tiny';
const CLIP = '/known-answer.wav';
const GAP_MS = 2000;

let client: EngineClient | undefined;

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

export { memoryBytes } from './memory.ts';

/** Time until a tab with a pipeline of its own can read, ms. */
export async function loadPlain(): Promise<number> {
  const startedAt = performance.now();
  await openPlain(MODEL);
  return performance.now() - startedAt;
}

interface Heard {
  /** `performance.timeOrigin` based, so that another process can compare. */
  readonly atMs: number;
  readonly epoch: number;
  readonly final: boolean;
}

interface Spoken {
  /** How often the clip was said. */
  readonly said: number;
  /** Of all final segments. */
  readonly texts: readonly string[];
}

const captions: Heard[] = [];
let endRecording: (() => Promise<Spoken>) | undefined;

/** Records the known clip again and again, in real time, until {@link stop}. */
export async function record(): Promise<void> {
  const texts = new Map<string, string>();
  client!.subscribe((event: EngineEvent) => {
    if (event.type !== 'partial' && event.type !== 'segment') return;
    const atMs = performance.timeOrigin + performance.now();
    captions.push({ atMs, epoch: client!.owner?.epoch ?? 0, final: event.type === 'segment' });
    if (event.type === 'segment') texts.set(event.segment.id, textOf(event.segment.committed));
  });
  const recording = await openRecording(client!, MODEL, 'en', 'microphone');

  const clip = padded(await fetchAudio(CLIP), 0, GAP_MS);
  let said = 0;
  const end = new AbortController();
  const playing = (async () => {
    while (!end.signal.aborted) {
      const first = said * clip.length;
      await playInRealTime(clip, (samples, start) => recording.push(samples, first + start));
      said++;
    }
  })();
  endRecording = async () => {
    end.abort();
    await playing;
    await recording.close();
    return { said, texts: [...texts.values()] };
  };
}

/** Whether somebody speaks now, and has spoken before. */
export const inMidSpeech = (): boolean =>
  captions.some(({ final }) => final) && captions.at(-1)?.final === false;

/** When the first caption of an engine of a later epoch came, ms since 1970; null so far. */
export const firstCaptionAfter = (epoch: number): number | null =>
  captions.find((caption) => caption.epoch > epoch)?.atMs ?? null;

/** Ends the recording when the clip that is being said is over. */
export const stop = (): Promise<Spoken> => endRecording!();
