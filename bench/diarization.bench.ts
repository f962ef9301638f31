import { samplesToMs } from '@core/protocol/audio.ts';
import type { ClusteringOptions } from '@core/speakers/clustering.ts';
import { stitch, type DiarizationWindow } from '@core/speakers/stitching.ts';
import type { SpeakerTurn } from '@core/speakers/turns.ts';
import { DETECTOR_LOADERS, type DetectorModel } from '@workers/capture/vad-models.ts';
import {
  derPercent,
  scoreDiarization,
  speakerCountError,
  totalDiarization,
  type DiarizationScore,
} from '../tests/support/der.ts';
import { TestInference } from '../tests/support/inference.ts';
import { loadRecordings, type Group, type LabelledRecording } from './support/conversations.ts';
import {
  addVoices,
  segmentRecording,
  simpleChain,
  utterancesOf,
  utteranceTurns,
  type VoiceChoice,
} from './support/diarization.ts';
import type { Bench, BenchContext, BenchRow } from './support/types.ts';

/**
 * Who spoke when in whole recordings, with the stand-in models: ours every 2.5 s and every 5 s, and without segmentation,
 * beside the simple chain of the stand-ins' README. `--recordings=ami,unseen-21` narrows it down; `--tune` tries other
 * thresholds on the recordings that are for it.
 */
const HOP_MS = 2500;
const GOAL_MS_PER_S = 50;
const COLLAR_MS = 250;

/** For the stand-in x-vectors; another embedding has other distances (docs/adr/0010). */
const CLUSTERING: ClusteringOptions = { threshold: 0.6, minClusterMs: 2500 };
const UTTERANCES: ClusteringOptions = { threshold: 0.4, minClusterMs: 2500 };
const VOICES: VoiceChoice = { minMs: 800, maxMs: 3000 };
/** The simple chain takes all there is. */
const ALL_SPEECH: VoiceChoice = { minMs: 500, maxMs: Infinity };

const CHAINS = ['every 2.5 s', 'every 5 s', 'utterances', 'simple'] as const;
type Chain = (typeof CHAINS)[number];
type Turns = readonly SpeakerTurn<number>[];

interface Measured {
  readonly recording: LabelledRecording;
  readonly windows: readonly DiarizationWindow[];
  readonly utterances: Awaited<ReturnType<typeof utterancesOf>>['result'];
  readonly turns: Readonly<Record<Chain, Turns>>;
  /** Compute per second of audio, ms. */
  readonly costs: Readonly<
    Record<Chain, readonly [segmentation: number, embedding: number, clustering: number]>
  >;
}

const everySecond = (windows: readonly DiarizationWindow[]): DiarizationWindow[] =>
  windows.filter((_, index) => index % 2 === 0);

const timed = <Result>(work: () => Result): [Result, ms: number] => {
  const startedAt = performance.now();
  return [work(), performance.now() - startedAt];
};

async function measure(
  inference: TestInference,
  detector: DetectorModel,
  recording: LabelledRecording,
): Promise<Measured> {
  const { samples } = recording;
  const seconds = samplesToMs(samples.length) / 1000;
  const heard = await segmentRecording(inference, samples, HOP_MS);
  const voiced = await addVoices(inference, samples, heard.result, VOICES);
  const plain = await addVoices(inference, samples, heard.result, ALL_SPEECH);
  const uttered = await utterancesOf(inference, detector, samples);
  const [fine, fineMs] = timed(() => stitch(voiced.result, CLUSTERING));
  const [coarse, coarseMs] = timed(() => stitch(everySecond(voiced.result), CLUSTERING));
  const [simple, simpleMs] = timed(() => simpleChain(plain.result));
  const [spoken, spokenMs] = timed(() => utteranceTurns(uttered.result, UTTERANCES));
  const half = everySecond(voiced.result).length / voiced.result.length;
  return {
    recording,
    windows: voiced.result,
    utterances: uttered.result,
    turns: { 'every 2.5 s': fine.turns, 'every 5 s': coarse.turns, utterances: spoken, simple },
    costs: {
      'every 2.5 s': [heard.ms / seconds, voiced.ms / seconds, fineMs / seconds],
      'every 5 s': [(half * heard.ms) / seconds, (half * voiced.ms) / seconds, coarseMs / seconds],
      utterances: [0, uttered.ms / seconds, spokenMs / seconds],
      simple: [heard.ms / seconds, plain.ms / seconds, simpleMs / seconds],
    },
  };
}

const scoreOf = ({ recording, turns }: Measured, chain: Chain, collarMs = 0): DiarizationScore =>
  scoreDiarization(recording.reference, turns[chain], { collarMs });

export const run: Bench = async (context) => {
  const peer = 'average linkage at 0.60, every 2.5 s, same models';
  if (context.sharedUrl === null)
    return { peer, rows: [], notes: ['../shared is not there: nothing was measured.'] };
  const parts = context.options.recordings?.split(',');
  const recordings = await loadRecordings(
    `${context.sharedUrl}audio/`,
    (name) => parts?.some((part) => name.startsWith(part)) ?? true,
  );
  const threads = Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
  const inference = new TestInference();
  await inference.api.configure({ threads, device: 'wasm' });
  for (const model of ['pyannote-segmentation-3.0', 'wespeaker-resnet34-lm'] as const)
    await inference.api.load(model, threads > 1 ? 'wasm-threads' : 'wasm');
  const detector = await DETECTOR_LOADERS['silero-v6']();
  const measured: Measured[] = [];
  for (const recording of recordings) {
    const one = await measure(inference, detector, recording);
    measured.push(one);
    const ders = CHAINS.map((chain) => `${chain} ${derPercent(scoreOf(one, chain)).toFixed(1)}`);
    context.log(`${recording.name}: DER % ${ders.join(', ')}`);
  }
  if ('tune' in context.options) await tune(context, inference, measured);
  inference.dispose();
  return {
    peer,
    rows: [
      ...measured.flatMap(recordingRows),
      ...groupRows(measured, 'seen'),
      ...groupRows(measured, 'unseen'),
      ...costRows(measured),
    ],
    notes: [
      'DER: missed, false and confused speaker time over the reference’s, overlap scored, speakers unknown in number. The peer is the simple chain of the stand-ins’ README.',
      'seen: the segmentation was trained on these voices, and thresholds were tuned on them; unseen: neither.',
      `${threads} thread(s). Stand-in models: the figures compare chains and say nothing about pyannote or WeSpeaker.`,
    ],
  };
};

const OURS = ['every 2.5 s', 'every 5 s', 'utterances'] as const;

const recordingRows = (one: Measured): BenchRow[] =>
  OURS.flatMap((chain) => {
    const [ours, theirs] = [scoreOf(one, chain), scoreOf(one, 'simple')];
    const what = `${one.recording.name} · ${chain}`;
    return [
      { what: `${what} · DER`, unit: '%', ours: derPercent(ours), peer: derPercent(theirs) },
      {
        what: `${what} · speakers too many, of ${ours.referenceSpeakers}`,
        unit: '',
        ours: speakerCountError(ours),
        peer: speakerCountError(theirs),
      },
    ];
  });

function groupRows(all: readonly Measured[], group: Group): BenchRow[] {
  const members = all.filter(({ recording }) => recording.group === group);
  if (members.length === 0) return [];
  const total = (chain: Chain, collarMs = 0): DiarizationScore =>
    totalDiarization(members.map((one) => scoreOf(one, chain, collarMs)));
  const countError = (chain: Chain): number =>
    members.reduce((sum, one) => sum + Math.abs(speakerCountError(scoreOf(one, chain))), 0) / members.length;
  return OURS.flatMap((chain) => {
    const row = (what: string, unit: string, figure: (chain: Chain) => number): BenchRow => ({
      what: `${group} · ${chain} · ${what}`,
      unit,
      ours: figure(chain),
      peer: figure('simple'),
    });
    const share = (part: 'missedMs' | 'falseAlarmMs' | 'confusedMs') => (which: Chain) => {
      const score = total(which);
      return (100 * score[part]) / score.totalMs;
    };
    return [
      row('DER', '%', (which) => derPercent(total(which))),
      row(`DER, collar ${COLLAR_MS} ms`, '%', (which) => derPercent(total(which, COLLAR_MS))),
      row('missed', '%', share('missedMs')),
      row('false alarm', '%', share('falseAlarmMs')),
      row('confused', '%', share('confusedMs')),
      row('speakers too many or too few, mean', '', countError),
    ];
  });
}

function costRows(all: readonly Measured[]): BenchRow[] {
  const seconds = all.map(({ recording }) => recording.samples.length);
  const mean = (chain: Chain, part: 0 | 1 | 2): number =>
    all.reduce((sum, { costs }, index) => sum + costs[chain][part] * seconds[index]!, 0) /
    seconds.reduce((sum, one) => sum + one, 0);
  const whole = (chain: Chain): number => mean(chain, 0) + mean(chain, 1) + mean(chain, 2);
  return OURS.flatMap((chain) => [
    ...(['segmentation', 'embedding', 'clustering'] as const).map((what, part): BenchRow => ({
      what: `${chain} · ${what}`,
      unit: 'ms/s',
      ours: mean(chain, part as 0 | 1 | 2),
      peer: mean('simple', part as 0 | 1 | 2),
    })),
    {
      what: `${chain} · compute per second of audio`,
      unit: 'ms/s',
      ours: whole(chain),
      peer: whole('simple'),
      goal: `≤ ${GOAL_MS_PER_S}`,
      met: whole(chain) <= GOAL_MS_PER_S,
    },
  ]);
}

/** DER on what is for tuning, over a grid of thresholds and choices of speech. */
async function tune(
  context: BenchContext,
  inference: TestInference,
  all: readonly Measured[],
): Promise<void> {
  const members = all.filter(({ recording }) => recording.group === 'seen');
  const references = members.map(({ recording }) => recording.reference);
  const grid = [0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7].flatMap((threshold) =>
    [500, 1500, 2500, 4000].map((minClusterMs) => ({ threshold, minClusterMs })),
  );
  const show = (what: string, turnsOf: (one: number, options: ClusteringOptions) => Turns): void => {
    const tried = grid.map((options) => {
      const scores = references.map((reference, one) => scoreDiarization(reference, turnsOf(one, options)));
      const counts = scores.reduce((sum, score) => sum + Math.abs(speakerCountError(score)), 0);
      return `${derPercent(totalDiarization(scores)).toFixed(1).padStart(5)} %, counts off by ${counts}: ${JSON.stringify(options)}`;
    });
    for (const line of tried.sort().slice(0, 10)) context.log(`${what}: ${line}`);
  };
  for (const maxMs of [2000, 3000, 5000, Infinity]) {
    const windows: DiarizationWindow[][] = [];
    for (const { recording, windows: heard } of members)
      windows.push((await addVoices(inference, recording.samples, heard, { ...VOICES, maxMs })).result);
    const choice = `voices of at most ${maxMs} ms`;
    show(`every 2.5 s, ${choice}`, (one, options) => stitch(windows[one]!, options).turns);
    show(`every 5 s, ${choice}`, (one, options) => stitch(everySecond(windows[one]!), options).turns);
  }
  show('utterances', (one, options) => utteranceTurns(members[one]!.utterances, options));
}
