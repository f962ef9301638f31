import type { EngineEvent } from '@core/protocol/engine.ts';
import type { SegmentId } from '@core/protocol/ids.ts';
import { EngineClient } from '@src/engine/engine-client.ts';
import { padded, playInRealTime } from './pace.ts';
import { openRecording } from './recording.ts';

const RECOGNIZER = 'whisper-tiny';
const TRANSLATOR = 'opus-mt-en-es';
const TURN_MS = 1000;
const TAIL_MS = 8000;

/** How a live meeting was translated. */
export interface Translated {
  /** Of each sentence, from its last word's commit, or the next one's that closed it, to its translation, ms. */
  readonly delaysMs: readonly number[];
  /** Calls of the recognizer meanwhile. */
  readonly calls: number;
}

/** Plays the turns in real time into the app's engine while one tab reads Spanish. */
export async function translateLive(turns: readonly Float32Array[]): Promise<Translated> {
  const client = new EngineClient();
  await client.prepare(RECOGNIZER);
  await client.prepare(TRANSLATOR);
  const recording = await openRecording(client, RECOGNIZER, 'en', 'microphone');
  /** When a segment's committed words reached each number. */
  const reached = new Map<
    SegmentId,
    { readonly words: number; readonly final: boolean; readonly at: number }[]
  >();
  const seen = new Map<SegmentId, number>();
  const delaysMs: number[] = [];
  const onEvent = (event: EngineEvent): void => {
    const at = performance.now();
    if (event.type === 'partial' || event.type === 'segment') {
      const { id, committed } = event.segment;
      const steps = reached.get(id) ?? [];
      reached.set(id, [...steps, { words: committed.length, final: event.type === 'segment', at }]);
    } else if (event.type === 'translation') {
      const { segmentId, units } = event.translation;
      for (const { to } of units.slice(seen.get(segmentId) ?? 0)) {
        const closed = reached.get(segmentId)?.find(({ words, final }) => words > to || final);
        if (closed) delaysMs.push(at - closed.at);
      }
      seen.set(segmentId, units.length);
    }
  };
  const unsubscribe = client.subscribe(onEvent);
  await client.translate({ sessionId: recording.sessionId, target: 'es', glossary: [] });
  const audio = turns.map((turn) => padded(turn, 0, TURN_MS));
  let start = 0;
  for (const turn of [...audio, padded(new Float32Array(0), 0, TAIL_MS)]) {
    const from = start;
    await playInRealTime(turn, (samples, at) => {
      recording.push(samples, from + at);
      start = from + at + samples.length;
    });
  }
  const { partialCalls, finalCalls } = await recording.close();
  unsubscribe();
  client.dispose();
  return { delaysMs, calls: partialCalls + finalCalls };
}
