/* eslint-disable @typescript-eslint/no-deprecated -- the peer is what people used before worklets */
import workletUrl from '../workers/audio/pcm.worklet.ts?worker&url';
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, type PcmControl } from '../src/core/protocol/pcm.ts';
import type { SinkReport } from './support/pcm-sink.worker.ts';
import type { Bench, BenchRow } from './support/types.ts';

/** `--seconds=600` for the full run. */
const DEFAULT_SECONDS = 60;
const BLOCK_EVERY_MS = 10_000;
const BLOCKED_MS = 2000;
const QUANTUM_FRAMES = 128;
const TIMED_QUANTA = 40_000;

interface Processor {
  readonly port: MessagePort;
  readonly process: (inputs: Float32Array[][]) => boolean;
}

const percentile = (sorted: Float64Array, share: number) =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;

/**
 * The worklet's own class in a page, where there is a clock (an AudioWorkletGlobalScope has none): time of
 * `process` per quantum, posting of blocks to a worker included.
 */
async function timeProcess(rateHz: number): Promise<{ mean: number; p50: number; p99: number }> {
  let Pcm: (new () => Processor) | null = null;
  const control = new MessageChannel();
  Object.assign(globalThis, {
    sampleRate: rateHz,
    AudioWorkletProcessor: class {
      port = control.port1;
    },
    registerProcessor: (_: string, processor: new () => Processor) => (Pcm = processor),
  });
  await import(/* @vite-ignore */ `${workletUrl}&rate=${rateHz}`);
  const processor = new (Pcm as unknown as new () => Processor)();
  const sink = await openSink();
  control.port2.postMessage({ type: 'connect', port: sink.port } satisfies PcmControl, [sink.port]);
  const input = [[Float32Array.from({ length: QUANTUM_FRAMES }, (_, i) => Math.sin(i / 3))]];
  const times = new Float64Array(TIMED_QUANTA);
  for (let quantum = -2000; quantum < TIMED_QUANTA; quantum++) {
    const startMs = performance.now();
    processor.process(input);
    if (quantum >= 0) times[quantum] = performance.now() - startMs;
    // Here and there buffers come back, as they do between quanta.
    if (quantum % 64 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  sink.close();
  times.sort();
  const quantumMs = (QUANTUM_FRAMES / rateHz) * 1000;
  const mean = times.reduce((sum, timeMs) => sum + timeMs, 0) / times.length / quantumMs;
  return { mean, p50: percentile(times, 0.5) / quantumMs, p99: percentile(times, 0.99) / quantumMs };
}

async function openSink() {
  const worker = new Worker(new URL('./support/pcm-sink.worker.ts', import.meta.url), { type: 'module' });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  return {
    port: port1,
    report: () =>
      new Promise<SinkReport>((resolve) => {
        worker.onmessage = ({ data }: MessageEvent<SinkReport>) => resolve(data);
        worker.postMessage('report');
      }),
    close: () => worker.terminate(),
  };
}

/** One source into the worklet and into a ScriptProcessorNode, the main thread blocked now and then. */
async function recordWhileBlocked(seconds: number, log: (line: string) => void) {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ });
  await context.audioWorklet.addModule(workletUrl);
  // A ramp: each sample tells when it was played, so a block overwritten before it was read is told from a new one.
  const rampS = seconds + 60;
  const source = new ConstantSourceNode(context, { offset: 0 });
  source.offset.linearRampToValueAtTime(1, rampS);
  const node = new AudioWorkletNode(context, 'pcm', { numberOfOutputs: 0 });
  const script = context.createScriptProcessor(BLOCK_SAMPLES, 1, 1);
  const scriptBlocks = new Set<number>();
  script.onaudioprocess = ({ inputBuffer }) => {
    const playedS = (inputBuffer.getChannelData(0)[0] ?? 0) * rampS;
    scriptBlocks.add(Math.round((playedS * SAMPLE_RATE_HZ) / BLOCK_SAMPLES));
  };
  const sink = await openSink();
  source.connect(node);
  source.connect(script).connect(context.destination);
  source.start();
  node.port.postMessage({ type: 'connect', port: sink.port } satisfies PcmControl, [sink.port]);
  while ((await sink.report()).blocks === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const [startS, startMs, before, scriptBefore] = [
    context.currentTime,
    performance.now(),
    await sink.report(),
    scriptBlocks.size,
  ];
  for (let doneMs = 0; doneMs < seconds * 1000; doneMs += BLOCK_EVERY_MS) {
    await new Promise((resolve) => setTimeout(resolve, BLOCK_EVERY_MS - BLOCKED_MS));
    const until = performance.now() + BLOCKED_MS;
    while (performance.now() < until);
    log(`${Math.round((performance.now() - startMs) / 1000)} s`);
  }
  const [after, renderedS, wallS] = [
    await sink.report(),
    context.currentTime - startS,
    (performance.now() - startMs) / 1000,
  ];
  const lateScript = scriptBlocks.size - scriptBefore;
  await context.close();
  sink.close();
  const expected = (renderedS * SAMPLE_RATE_HZ) / BLOCK_SAMPLES;
  return {
    minutes: wallS / 60,
    missing: after.missing,
    extraBuffers: after.extraBuffers,
    // Two blocks may be on their way at either end.
    lost: Math.max(0, Math.round(expected - (after.blocks - before.blocks) - 2)),
    lostByScript: Math.max(0, Math.round(expected - lateScript - 2)),
    notRenderedMs: Math.max(0, wallS - renderedS) * 1000,
  };
}

export const run: Bench = async (context) => {
  const rows: BenchRow[] = [];
  for (const rateHz of [SAMPLE_RATE_HZ, 44_100, 48_000]) {
    const { mean, p50, p99 } = await timeProcess(rateHz);
    const what = `${rateHz} Hz${rateHz === SAMPLE_RATE_HZ ? '' : ', resampled in the worklet'}`;
    rows.push({ what: `${what} · share of the render quantum · mean`, unit: '%', ours: mean * 100 });
    rows.push({ what: `${what} · share of the render quantum · p50`, unit: '%', ours: p50 * 100 });
    rows.push({ what: `${what} · share of the render quantum · p99`, unit: '%', ours: p99 * 100 });
  }
  const seconds = Number(context.options.seconds ?? DEFAULT_SECONDS);
  const live = await recordWhileBlocked(seconds, (line) => context.log(line));
  const during = `${seconds} s, main thread blocked ${BLOCKED_MS / 1000} s in every ${BLOCK_EVERY_MS / 1000}`;
  rows.push({
    what: `${during} · blocks lost`,
    unit: 'blocks',
    ours: live.lost + live.missing,
    peer: live.lostByScript,
    goal: '0',
    met: live.lost + live.missing === 0,
  });
  rows.push({
    what: `${during} · buffers allocated`,
    unit: '1/min',
    ours: live.extraBuffers / live.minutes,
    goal: '0',
    met: live.extraBuffers === 0,
  });
  return {
    peer: 'ScriptProcessorNode of 512 samples on the same source',
    rows,
    notes: [
      `A quantum is ${QUANTUM_FRAMES} frames. Its times are those of the worklet's own process() on a page's clock of 5 µs, posting included; the audio thread has no clock.`,
      `Rendered ${live.notRenderedMs.toFixed(0)} ms less than the wall clock's ${(live.minutes * 60).toFixed(0)} s (the browser's audio thread, before the worklet).`,
    ],
  };
};
