import { SAMPLE_RATE_HZ, samplesToMs } from '@core/protocol/audio.ts';
import type { Language } from '@core/transcript/types.ts';
import { errorRatePercent, score, total, type Score } from '../tests/support/scoring.ts';
import { concatenate } from '../tests/support/wav.ts';
import { runDemo, type LiveResult } from './support/demo.ts';
import { audioOf, Ours, secondsOf, type OursResult } from './support/ours.ts';
import { padded, percentile, speechSpan } from './support/pace.ts';
import { fetchAudio, openPlain, type Plain } from './support/plain.ts';
import type { Bench, BenchContext, BenchRow } from './support/types.ts';

/**
 * Live captions on real speech, clip by clip and recognizer by recognizer, in real time, beside a plain
 * transformers.js worker in the same browser. `--models=whisper-tiny` and `--clips=jfk` narrow it down.
 */
const MODELS = ['whisper-tiny', 'moonshine-tiny'] as const;
type Model = (typeof MODELS)[number];

const LEAD_MS = 1000;
/** Silence that is played on until the text is there: ends a run whose text never comes. */
const TAIL_MS = 15_000;
/** Between two who speak in the meeting. */
const TURN_MS = 1000;
/** The demo's window is full after 30 s: in a shorter recording it reads less than it does in a meeting. */
const LEAST_MEETING_MS = 180_000;

interface BenchClip {
  readonly file: string;
  readonly language: Language;
  /** Null where nobody wrote down what is said. */
  readonly text: string | null;
  readonly audio: Float32Array<ArrayBuffer>;
}

/** All English clips in one recording, a second apart, again and again. */
interface Meeting {
  readonly ours: OursResult;
  readonly demo: LiveResult;
}

interface Measured {
  readonly clip: BenchClip;
  readonly ours: OursResult;
  readonly demo: LiveResult;
  readonly plainText: string;
  /** One plain call on the whole clip, ms. */
  readonly plainMs: number;
  /** One plain call on the last utterance as our gate cut it, ms; null if there was none. */
  readonly plainUtteranceMs: number | null;
  readonly importMs: number;
}

export const run: Bench = async (context) => {
  const clips = await loadClips(context);
  const rows: BenchRow[] = [];
  const notes = [
    'Peer: errors and real-time factor: one call on the whole clip; live figures: the last 30 s decoded each second.',
    'Final text of the peer: the first result of a call that began after the end of speech. First word: the first committed one of ours, the first shown at all of the peer.',
    'Onset and end of speech: first and last 32 ms block within 35 dB of the loudest.',
  ];
  for (const model of MODELS.filter((model) => wanted(context, 'models', model))) {
    const mine = clips.filter((clip) => model !== 'moonshine-tiny' || clip.language === 'en');
    const { measured, meeting } = await measure(context, model, mine, notes);
    rows.push(...measured.flatMap((one) => clipRows(model, one)), ...summary(model, measured));
    rows.push(...meetingRows(model, meeting));
  }
  return { peer: 'plain transformers.js in one worker, WASM q8', rows, notes };
};

const wanted = ({ options }: BenchContext, option: string, name: string) =>
  !options[option] || options[option].split(',').some((part) => name.includes(part));

async function loadClips(context: BenchContext): Promise<BenchClip[]> {
  const known = {
    url: '/known-answer.wav',
    file: 'known-answer.wav',
    language: 'en' as Language,
    text: 'Good morning everyone. Thank you for coming to the meeting today.',
  };
  const listed: { file: string; language: Language; text: string | null; url: string }[] = [known];
  if (context.sharedUrl) {
    const folder = `${context.sharedUrl}audio/`;
    const manifest = (await (await fetch(`${folder}manifest.json`)).json()) as {
      clips: { file: string; language?: Language; text?: string }[];
    };
    for (const { file, language, text } of manifest.clips) {
      const spoken = language && /^(en|es|fr|zh)\//.test(file);
      if (spoken) listed.push({ file, language, text: text ?? null, url: folder + file });
    }
  } else context.log('../shared is not there: only the known-answer clip is measured');
  const chosen = listed.filter(({ file }) => wanted(context, 'clips', file));
  return Promise.all(chosen.map(async ({ url, ...clip }) => ({ ...clip, audio: await fetchAudio(url) })));
}

async function measure(
  context: BenchContext,
  model: Model,
  clips: readonly BenchClip[],
  notes: string[],
): Promise<{ measured: Measured[]; meeting: Meeting }> {
  const ours = new Ours(model);
  notes.push(await ours.ready());
  context.log(notes.at(-1)!);
  const plain = await openPlain(model);
  const measured: Measured[] = [];
  for (const clip of clips) {
    const one = await measureClip(ours, plain, clip);
    measured.push(one);
    context.log(`${model} ${clip.file}: ${one.ours.endToFinalMs.toFixed(0)} ms to final · ${one.ours.text}`);
  }
  const meeting = await measureMeeting(ours, plain, clips);
  plain.close();
  return { measured, meeting };
}

async function measureMeeting(ours: Ours, plain: Plain, clips: readonly BenchClip[]): Promise<Meeting> {
  const spoken = clips.filter(({ language }) => language === 'en');
  const round = spoken.map(({ audio }) => padded(audio, 0, TURN_MS));
  const roundMs = round.reduce((sum, { length }) => sum + samplesToMs(length), 0);
  const turns = Array.from({ length: Math.ceil(LEAST_MEETING_MS / roundMs) }, () => round).flat();
  const all = concatenate(turns.map((samples) => ({ sampleRateHz: SAMPLE_RATE_HZ, samples }))).samples;
  const { startMs, endMs } = speechSpan(all);
  const audio = padded(all, LEAD_MS, TAIL_MS);
  const speech = { startMs: startMs + LEAD_MS, endMs: endMs + LEAD_MS };
  return { ours: await ours.live(audio, speech, 'en'), demo: await runDemo(plain, audio, speech, 'en') };
}

async function measureClip(ours: Ours, plain: Plain, clip: BenchClip): Promise<Measured> {
  const audio = padded(clip.audio, LEAD_MS, TAIL_MS);
  const { startMs, endMs } = speechSpan(clip.audio);
  const speech = { startMs: startMs + LEAD_MS, endMs: endMs + LEAD_MS };
  const live = await ours.live(audio, speech, clip.language);
  const last = live.segments.at(-1);
  return {
    clip,
    ours: live,
    importMs: await ours.importMs(clip.audio, clip.language),
    demo: await runDemo(plain, audio, speech, clip.language),
    ...(await plainCall(plain, clip)),
    plainUtteranceMs: last ? (await plain.transcribe(audioOf(audio, last), clip.language)).decodeMs : null,
  };
}

async function plainCall(plain: Plain, { audio, language }: BenchClip) {
  const { text, decodeMs } = await plain.transcribe(audio, language);
  return { plainText: text, plainMs: decodeMs };
}

const unitName = (language: Language) => (language === 'zh' ? 'character error rate' : 'word error rate');

const perMinute = ({ decodedAudioS, meetingS }: LiveResult) => (60 * decodedAudioS) / meetingS;

function clipRows(model: Model, { clip, ours, demo, plainText, plainMs, importMs }: Measured): BenchRow[] {
  const { file, language, text, audio } = clip;
  const row = (what: string, unit: string, ours: number, peer: number): BenchRow => ({
    what: `${model} · ${file} · ${what}`,
    unit,
    ours,
    peer,
  });
  const errors = (read: string) => errorRatePercent(score(text ?? '', read, language));
  return [
    ...(text === null ? [] : [row(unitName(language), '%', errors(ours.text), errors(plainText))]),
    row('real-time factor', '', importMs / 1000 / secondsOf(audio), plainMs / 1000 / secondsOf(audio)),
    row('end of speech to final', 'ms', ours.endToFinalMs, demo.endToFinalMs),
    row('onset to first word', 'ms', ours.onsetToFirstMs, demo.onsetToFirstMs),
    row('calls', '', ours.calls, demo.calls),
    row('audio decoded', 's', ours.decodedAudioS, demo.decodedAudioS),
  ];
}

/** All clips of one recognizer together, with the goals. */
function summary(model: Model, measured: readonly Measured[]): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const language of new Set(measured.map(({ clip }) => clip.language))) {
    const spoken = measured.filter(({ clip }) => clip.language === language && clip.text !== null);
    const rate = (read: (one: Measured) => string): number => {
      const scores: Score[] = spoken.map((one) => score(one.clip.text ?? '', read(one), language));
      return errorRatePercent(total(scores));
    };
    const [ours, peer] = [rate((one) => one.ours.text), rate((one) => one.plainText)];
    const goal = { goal: '≤ peer + 2 points', met: ours <= peer + 2 };
    rows.push({ what: `${model} · all ${language} · ${unitName(language)}`, unit: '%', ours, peer, ...goal });
  }
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
  ] as const) {
    const of = (value: (one: Measured) => number) => percentile(measured.map(value), share);
    rows.push({
      what: `${model} · all · end of speech to final, ${name}`,
      unit: 'ms',
      ours: of((one) => one.ours.endToFinalMs),
      peer: of((one) => one.demo.endToFinalMs),
    });
    rows.push({
      what: `${model} · all · onset to first word, ${name}`,
      unit: 'ms',
      ours: of((one) => one.ours.onsetToFirstMs),
      peer: of((one) => one.demo.onsetToFirstMs),
    });
  }
  const ratios = measured.flatMap(({ ours, plainUtteranceMs }) =>
    plainUtteranceMs === null ? [] : [ours.endToFinalMs / plainUtteranceMs],
  );
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
  ] as const) {
    const ratio = percentile(ratios, share);
    rows.push({
      what: `${model} · all · end of speech to final / one plain call on that utterance, ${name}`,
      unit: '',
      ours: ratio,
      goal: '≤ 1.1',
      met: ratio !== null && ratio <= 1.1,
    });
  }
  return rows;
}

function meetingRows(model: Model, { ours, demo }: Meeting): BenchRow[] {
  const [decoded, peer] = [perMinute(ours), perMinute(demo)];
  const minutes = (ours.meetingS / 60).toFixed(1);
  return [
    {
      what: `${model} · meeting of ${minutes} min · audio decoded per minute`,
      unit: 's',
      ours: decoded,
      peer,
      goal: '≤ 0.5 × peer',
      met: decoded <= peer / 2,
    },
    {
      what: `${model} · meeting of ${minutes} min · calls per minute`,
      unit: '',
      ours: (60 * ours.calls) / ours.meetingS,
      peer: (60 * demo.calls) / demo.meetingS,
    },
  ];
}
