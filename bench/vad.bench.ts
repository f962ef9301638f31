import { NonRealTimeVAD } from '@ricky0123/vad-web';
import { BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ } from '../src/core/protocol/audio.ts';
import { VAD_TIERS } from '../src/core/protocol/capture.ts';
import { DEFAULT_GATE, Gate } from '../src/core/vad/gate.ts';
import { DecodedFile } from '../workers/capture/file-decoder.ts';
import { DETECTOR_LOADERS, type DetectorModel } from '../workers/capture/vad-models.ts';
import { covered, length, parseRttm, scoreFrames, union, type Span } from './support/frames.ts';
import type { Bench, BenchRow } from './support/types.ts';

interface Clip {
  readonly file: string;
  readonly seconds: number;
  readonly rttm?: string;
  readonly speech?: readonly Span[];
  readonly speechUntil?: number;
  readonly text?: string;
}

interface Labelled {
  readonly group: string;
  readonly blocks: readonly Float32Array[];
  readonly speech: readonly Span[];
  /** Seconds from the start that are labelled. */
  readonly untilS: number;
}

/** One detector on one clip: a probability per block of 32 ms, and the utterances made of them. */
interface Heard {
  readonly probabilities: readonly number[];
  readonly utterances: readonly Span[];
}

/** The clip on which speed is measured: a minute of lively speech. */
const SPEED_CLIP = 'vad/silero_test.wav';
const SPEED_ROUNDS = 4;
/** The peer's own threshold and frame. */
const PEER_THRESHOLD = 0.3;
const PEER_BLOCKS = 3;

const GROUPS: Record<string, string> = { vad: 'vad', conversations: 'conversations', noise: 'noise' };

async function readBlocks(url: string): Promise<Float32Array[]> {
  const decoded = await DecodedFile.open(new File([await (await fetch(url)).blob()], url));
  const blocks: Float32Array[] = [];
  for await (const { block, samples } of decoded.blocks()) if (samples === BLOCK_SAMPLES) blocks.push(block);
  return blocks;
}

async function readLabelled(clip: Clip, audioUrl: string): Promise<Labelled | null> {
  const group = GROUPS[clip.file.split('/')[0] ?? ''];
  const speech = clip.rttm
    ? parseRttm(await (await fetch(audioUrl + clip.rttm)).text())
    : (clip.speech ?? (group === 'noise' ? [] : null));
  if (group === undefined || speech === null) return null;
  const blocks = await readBlocks(audioUrl + clip.file);
  const untilS = Math.min(clip.speechUntil ?? Infinity, (blocks.length * BLOCK_MS) / 1000);
  return { group, blocks, speech: union(speech), untilS };
}

async function hear(model: DetectorModel, blocks: readonly Float32Array[]): Promise<Heard> {
  const detector = model.newDetector();
  const gate = new Gate(DEFAULT_GATE);
  const probabilities: number[] = [];
  const utterances: Span[] = [];
  const note = (events: ReturnType<Gate['step']>) => {
    for (const event of events)
      if (event.type === 'end')
        utterances.push([event.utterance / SAMPLE_RATE_HZ, event.end / SAMPLE_RATE_HZ]);
  };
  for (const block of blocks) {
    const probability = await detector.step(block);
    probabilities.push(probability);
    note(gate.step(probability));
  }
  note(gate.close());
  return { probabilities, utterances };
}

async function hearAsPeer(peer: NonRealTimeVAD, blocks: readonly Float32Array[]): Promise<Heard> {
  const samples = new Float32Array(blocks.length * BLOCK_SAMPLES);
  blocks.forEach((block, i) => samples.set(block, i * BLOCK_SAMPLES));
  const probabilities: number[] = [];
  const processor = peer.frameProcessor as unknown as {
    modelProcessFunc: (frame: Float32Array) => Promise<{ isSpeech: number }>;
  };
  const original = processor.modelProcessFunc;
  processor.modelProcessFunc = async (frame) => {
    const result = await original(frame);
    for (let i = 0; i < PEER_BLOCKS; i++) probabilities.push(result.isSpeech);
    return result;
  };
  const utterances: Span[] = [];
  try {
    for await (const { audio, start, end } of peer.run(samples, SAMPLE_RATE_HZ))
      // It gives the end, and the audio from its pre-roll on; `start` is where speech was first heard.
      utterances.push([Math.min(start / 1000, end / 1000 - audio.length / SAMPLE_RATE_HZ), end / 1000]);
  } finally {
    processor.modelProcessFunc = original;
  }
  return { probabilities, utterances: union(utterances) };
}

function score(clips: readonly Labelled[], heard: readonly Heard[], threshold: number) {
  const probabilities: number[] = [];
  const labels: boolean[] = [];
  let missedS = 0;
  let speechS = 0;
  let otherS = 0;
  clips.forEach((clip, c) => {
    const { probabilities: said = [], utterances = [] } = heard[c] ?? {};
    said.forEach((probability, i) => {
      const middleS = ((i + 0.5) * BLOCK_MS) / 1000;
      if (middleS >= clip.untilS) return;
      probabilities.push(probability);
      labels.push(clip.speech.some(([start, end]) => middleS >= start && middleS < end));
    });
    speechS += length(clip.speech);
    missedS += Math.max(0, length(clip.speech) - covered(clip.speech, utterances));
    otherS += covered([[0, clip.untilS]], utterances) - covered(clip.speech, utterances);
  });
  return { ...scoreFrames(probabilities, labels, threshold), missedMs: missedS * 1000, speechS, otherS };
}

export const run: Bench = async (context) => {
  const { sharedUrl } = context;
  const peerName = '@ricky0123/vad-web 0.0.31 NonRealTimeVAD (Silero legacy, frames of 96 ms, its defaults)';
  if (sharedUrl === null)
    return { peer: peerName, rows: [], notes: ['Skipped: the labelled clips of ../shared are not here.'] };
  const audioUrl = `${sharedUrl}audio/`;
  const { clips } = (await (await fetch(`${audioUrl}manifest.json`)).json()) as { clips: Clip[] };
  const labelled = (await Promise.all(clips.map((clip) => readLabelled(clip, audioUrl)))).filter(
    (clip) => clip !== null,
  );
  const peer = await NonRealTimeVAD.new({
    modelURL: '/models/unisono/silero-vad/silero_vad_legacy.onnx',
    ortConfig: (ort) => {
      const build = `${__ORT_URL__}ort-wasm-simd-threaded.asyncify`;
      ort.env.wasm.wasmPaths = { mjs: `${build}.mjs`, wasm: `${build}.wasm` };
      ort.env.wasm.numThreads = 1;
    },
  });

  const rows: BenchRow[] = [];
  const speedBlocks = await readBlocks(audioUrl + SPEED_CLIP);
  const models = new Map<string, DetectorModel>();
  for (const tier of VAD_TIERS) models.set(tier, await DETECTOR_LOADERS[tier]());
  const blocksPerS = async (work: () => Promise<unknown>) => {
    const startMs = performance.now();
    await work();
    return speedBlocks.length / ((performance.now() - startMs) / 1000);
  };
  // In turns, so that whatever else the machine does strikes both; the best round of each.
  const best = new Map<string, number>();
  for (let round = 0; round < SPEED_ROUNDS; round++) {
    const runners = [...models].map(([tier, model]) => [tier, () => hear(model, speedBlocks)] as const);
    for (const [name, work] of [...runners, ['peer', () => hearAsPeer(peer, speedBlocks)] as const])
      best.set(name, Math.max(best.get(name) ?? 0, await blocksPerS(work)));
  }
  for (const tier of VAD_TIERS)
    rows.push({
      what: `${SPEED_CLIP} · ${tier} with gate`,
      unit: 'blocks/s',
      ours: best.get(tier) ?? null,
      peer: best.get('peer') ?? null,
    });

  const peerHeard: Heard[] = [];
  for (const { blocks } of labelled) peerHeard.push(await hearAsPeer(peer, blocks));
  for (const [tier, model] of models) {
    context.log(`${tier}…`);
    const heard: Heard[] = [];
    for (const { blocks } of labelled) heard.push(await hear(model, blocks));
    for (const group of ['vad', 'conversations', 'noise', 'all']) {
      const indexes = labelled.flatMap((clip, i) => (group === 'all' || clip.group === group ? [i] : []));
      const of = <T>(list: readonly T[]) => indexes.map((i) => list[i] as T);
      const ours = score(of(labelled), of(heard), DEFAULT_GATE.threshold);
      const theirs = score(of(labelled), of(peerHeard), PEER_THRESHOLD);
      const row = (what: string, unit: string, pick: (scores: typeof ours) => number) =>
        rows.push({ what: `${group} · ${tier} · ${what}`, unit, ours: pick(ours), peer: pick(theirs) });
      if (group === 'noise') {
        row('let through', 's', ({ otherS }) => otherS);
        continue;
      }
      row(`ROC-AUC of ${ours.frames} frames`, '', ({ auc }) => auc);
      row('precision', '', ({ precision }) => precision);
      row('recall', '', ({ recall }) => recall);
      row(`missed after the gate, of ${(ours.speechS * 1000).toFixed(0)}`, 'ms', ({ missedMs }) => missedMs);
      row('let through that is not labelled speech', 's', ({ otherS }) => otherS);
    }
  }
  return {
    peer: peerName,
    rows,
    notes: [
      `Frames of ${BLOCK_MS} ms, labelled by their middle; the peer's frame of 96 ms counts as three, so that one inference of it counts for three of ours. Thresholds: ours ${DEFAULT_GATE.threshold}, the peer's ${PEER_THRESHOLD}.`,
      'Both on one thread on the main thread of the same page, audio decoded beforehand, best of four rounds in turn; ours includes the gate, the peer its frame processor and resampler.',
      'ami-trn01 holds 3.3 s of labelled speech that is hardly audible.',
    ],
  };
};
