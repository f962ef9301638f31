import { knownAnswer } from '../tests/support/engine.ts';
import { TestInference } from '../tests/support/inference.ts';
import { memoryBytes } from './support/memory.ts';
import { openPlain } from './support/plain.ts';
import type { Bench, BenchContext } from './support/types.ts';

/**
 * Memory while speech is decoded without a pause, by default an hour of it: utterances of one to eleven seconds, one after
 * another, beside the same in a plain transformers.js worker. `--minutes=5` shortens it.
 */
const MODEL = 'moonshine-tiny';
const DEFAULT_MINUTES = 60;
/** A measurement takes up to a minute: the browser waits for a collection of garbage. */
const POINTS = 8;
/** The longest utterance comes early, and WebAssembly's memory never shrinks: what follows must fit into it. */
const WARM_UP_SHARE = 0.25;
/** Between two measurements of an idle page it varies by more. */
const NOISE_MB = 5;

interface Course {
  /** MB at the end of the warm-up, and at the end. */
  readonly settledMb: number;
  readonly lastMb: number;
  /** Of a line through what was measured after the warm-up, MB per hour of audio. */
  readonly slopeMb: number;
}

export const run: Bench = async (context) => {
  const minutes = Number(context.options.minutes ?? DEFAULT_MINUTES);
  const clip = await knownAnswer();

  const inference = new TestInference();
  const threads = Math.min(4, navigator.hardwareConcurrency);
  await inference.api.configure({ threads, device: 'wasm' });
  await inference.api.load(MODEL, 'wasm-threads');
  const ours = await decode(context, minutes, clip, (audio) => inference.recognize(MODEL, audio));
  const { liveTensors } = await inference.counters();
  inference.dispose();

  const plain = await openPlain(MODEL);
  const peer = await decode(context, minutes, clip, (audio) => plain.transcribe(audio, 'en'));
  plain.close();

  const what = `${minutes} min of speech · ${MODEL}`;
  const grown = ours.lastMb - ours.settledMb;
  return {
    peer: 'plain transformers.js in one worker, WASM q8',
    rows: [
      { what: `${what} · memory once warm`, unit: 'MB', ours: ours.settledMb, peer: peer.settledMb },
      {
        what: `${what} · memory at the end`,
        unit: 'MB',
        ours: ours.lastMb,
        peer: peer.lastMb,
        goal: `≤ warm + ${NOISE_MB} MB`,
        met: grown <= NOISE_MB,
      },
      { what: `${what} · growth`, unit: 'MB/h', ours: ours.slopeMb, peer: peer.slopeMb },
      { what: `${what} · tensors in use`, unit: '', ours: liveTensors, goal: '0', met: liveTensors === 0 },
    ],
    notes: [
      'By measureUserAgentSpecificMemory: the page and all its workers, their WebAssembly memory included.',
      `Growth: a line through what was measured after the first ${WARM_UP_SHARE * 100} %.`,
    ],
  };
};

async function decode(
  context: BenchContext,
  minutes: number,
  clip: Float32Array,
  recognize: (audio: Float32Array) => Promise<unknown>,
): Promise<Course> {
  const points: { readonly atS: number; readonly megabytes: number }[] = [];
  let atS = 0;
  let seed = 1;
  await recognize(clip);
  for (let point = 1; point <= POINTS; point += 1) {
    while (atS < (minutes * 60 * point) / POINTS) {
      seed = (seed * 16_807) % 2_147_483_647;
      const seconds = 1 + (seed % 11);
      await recognize(clip.slice(0, seconds * 16_000));
      atS += seconds;
    }
    const megabytes = (await memoryBytes()) / 1e6;
    points.push({ atS, megabytes });
    context.log(`${Math.round(atS)} s of speech: ${megabytes.toFixed(1)} MB`);
  }
  const settled = points.slice(POINTS * WARM_UP_SHARE - 1);
  return {
    settledMb: settled[0]?.megabytes ?? NaN,
    lastMb: points.at(-1)?.megabytes ?? NaN,
    slopeMb: 3600 * slope(settled.map(({ atS, megabytes }) => [atS, megabytes])),
  };
}

/** Of the line that fits the points best. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  return covariance / mean(([x]) => (x - meanX) ** 2);
}
