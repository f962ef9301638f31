import { createRpc } from '@core/protocol/rpc.ts';
import type { PlainApi, PlainRecognizer, PlainText } from './plain.worker.ts';
import { parseWav, resample } from '../../tests/support/wav.ts';
import { padded } from './pace.ts';

/** A plain transformers.js worker with one model, ready and warm. */
export interface Plain extends Pick<PlainApi, 'transcribe' | 'translate'> {
  close(): void;
}

export async function openPlain(model: Parameters<PlainApi['load']>[0]): Promise<Plain> {
  const worker = new Worker(new URL('./plain.worker.ts', import.meta.url), { type: 'module' });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => reject(new Error(`plain worker: ${event.message}`)));
  });
  const rpc = createRpc<PlainApi, object>(worker, {});
  await Promise.race([rpc.load(model), failed]);
  return {
    transcribe: (audio, language) => rpc.transcribe(audio, language),
    translate: (texts) => rpc.translate(texts),
    close: () => worker.terminate(),
  };
}

/** A WAV as the recognizers want it: mono float32 at 16 kHz. */
export async function fetchAudio(url: string): Promise<Float32Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return resample(parseWav(new Uint8Array(await response.arrayBuffer())), 16_000).samples;
}

/**
 * What the plain pipeline reads from whole files, one after another, with one model: for each file the text with
 * each of `leadsMs` of silence in front.
 */
export async function transcribeFiles(
  model: PlainRecognizer,
  files: readonly { url: string; language: string }[],
  leadsMs: readonly number[],
): Promise<PlainText[][]> {
  const plain = await openPlain(model);
  const texts: PlainText[][] = [];
  for (const { url, language } of files) {
    const audio = await fetchAudio(url);
    const readings: PlainText[] = [];
    for (const leadMs of leadsMs) readings.push(await plain.transcribe(padded(audio, leadMs, 0), language));
    texts.push(readings);
  }
  plain.close();
  return texts;
}
