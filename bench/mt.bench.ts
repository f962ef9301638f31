import type { Language } from '@core/transcript/types.ts';
import { TRANSLATOR_MODELS } from '@workers/model-store/catalog.ts';
import { TestInference } from '../tests/support/inference.ts';
import { loadPhrasebook, STAND_INS, type Phrase } from '../tests/support/phrasebook.ts';
import { chrF } from './support/chrf.ts';
import { percentile } from './support/pace.ts';
import { fetchAudio, openPlain, type Plain } from './support/plain.ts';
import { translateLive } from './support/translated.ts';
import type { Bench, BenchContext, BenchRow } from './support/types.ts';

/**
 * Translation of the phrasebook, sentence by sentence and eight at a time, beside a plain transformers.js worker in the
 * same browser. With the stand-in weights the figures compare the two, and say nothing about OPUS-MT's.
 * `--models=en-es,fr-en` and `--sentences=40` narrow it down.
 */
type Model = (typeof STAND_INS)[number];

const BATCH = 8;

/** One way to have the sentences translated, and what came of it. */
class Run {
  readonly texts: string[] = [];
  ms = 0;
  readonly #translate: (texts: readonly string[]) => Promise<readonly string[]>;

  constructor(translate: (texts: readonly string[]) => Promise<readonly string[]>) {
    this.#translate = translate;
  }

  async add(texts: readonly string[]): Promise<void> {
    const startedAt = performance.now();
    this.texts.push(...(await this.#translate(texts)));
    this.ms += performance.now() - startedAt;
  }

  get msPerSentence(): number {
    return this.ms / this.texts.length;
  }
}

export const run: Bench = async (context) => {
  const { models, sentences } = context.options;
  const book = context.sharedUrl && (await loadPhrasebook(`${context.sharedUrl}models/`));
  if (!book) return { peer: 'plain', rows: [], notes: ['../shared is not there: nothing was measured.'] };
  const phrases = book.phrases.slice(0, Number(sentences ?? book.phrases.length));
  const wanted = STAND_INS.filter(
    (model) => !models || models.split(',').some((part) => model.endsWith(part)),
  );
  const threads = Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
  const inference = new TestInference();
  await inference.api.configure({ threads, device: 'wasm' });
  const rows: BenchRow[] = [];
  let bytes = 0;
  for (const model of wanted) {
    bytes += (await inference.api.load(model, threads > 1 ? 'wasm-threads' : 'wasm')).bytes;
    const plain = await openPlain(model);
    rows.push(...(await measure(context, model, phrases, book.missed, inference, plain)));
    plain.close();
  }
  rows.push({ what: `graphs of ${wanted.length} models in memory`, unit: 'bytes', ours: bytes });
  inference.dispose();
  rows.push(...(await live(context)));
  return {
    peer: 'plain transformers.js in one worker, WASM q8, num_beams 1',
    rows,
    notes: [
      `Both on ${threads} thread(s). Eight at a time: ours eight calls one after another, the peer one batch.`,
      'Sentences right: equal to the phrasebook, without those that some stand-in is known to miss.',
      'To Chinese the peer puts a lone "▁" before the token that names the target: it is not in the text.',
    ],
  };
};

/** Every English clip once: no sentence is in memory already. */
async function live({ sharedUrl, ...context }: BenchContext): Promise<BenchRow[]> {
  const folder = `${sharedUrl}audio/`;
  const manifest = (await (await fetch(`${folder}manifest.json`)).json()) as { clips: { file: string }[] };
  const files = manifest.clips.map(({ file }) => file).filter((file) => file.startsWith('en/'));
  const urls = ['/known-answer.wav', ...files.map((file) => folder + file)];
  const clips = await Promise.all(urls.map((url) => fetchAudio(url)));
  const { delaysMs, calls } = await translateLive(clips);
  context.log(`live: ${delaysMs.length} sentences translated during ${calls} calls of the recognizer`);
  return [50, 95].map((share) => ({
    what: `live, Whisper tiny reading · committed sentence → its translation, p${share}`,
    unit: 'ms',
    ours: percentile(delaysMs, share / 100) ?? NaN,
  }));
}

async function measure(
  context: BenchContext,
  model: Model,
  phrases: readonly Phrase[],
  missed: ReadonlySet<number>,
  inference: TestInference,
  plain: Plain,
): Promise<BenchRow[]> {
  const { from, to } = TRANSLATOR_MODELS[model];
  const sources = phrases.map((phrase) => phrase[from]);
  const ours = new Run(async ([text = '']) => [(await inference.translate(model, text)).text]);
  const peer = new Run(async (texts) => (await plain.translate(texts)).texts);
  const batched = new Run(async (texts) => (await plain.translate(texts)).texts);
  // In turns: what else the machine does meanwhile slows all of them alike.
  for (let at = 0; at < sources.length; at += BATCH) {
    const some = sources.slice(at, at + BATCH);
    for (const text of some) await ours.add([text]);
    for (const text of some) await peer.add([text]);
    await batched.add(some);
  }
  context.log(
    `${model}: ${ours.msPerSentence.toFixed(1)} ms a sentence, peer ${peer.msPerSentence.toFixed(1)} ms`,
  );

  const row = (what: string, unit: string, figure: (run: Run) => number): BenchRow => ({
    what: `${model} · ${what}`,
    unit,
    ours: figure(ours),
    peer: figure(peer),
  });
  const known = phrases.map((phrase) => !missed.has(phrase.id));
  const right = ({ texts }: Run): number =>
    phrases.filter((phrase, index) => known[index] && texts[index] === phrase[to]).length;
  const equal = ours.texts.filter((text, index) => text === peer.texts[index]).length;
  return [
    row('one at a time', 'ms/sentence', ({ msPerSentence }) => msPerSentence),
    row('one at a time', 'words/s', ({ ms, texts }) => (1000 * words(texts, to)) / ms),
    {
      what: `${model} · eight at a time`,
      unit: 'ms/sentence',
      ours: ours.msPerSentence,
      peer: batched.msPerSentence,
    },
    row('sentences right', `of ${known.filter(Boolean).length}`, right),
    row('chrF against the phrasebook', '', ({ texts }) =>
      chrF(phrases.map((phrase, index) => ({ translation: texts[index] ?? '', reference: phrase[to] }))),
    ),
    {
      what: `${model} · equal to the peer, one at a time`,
      unit: `of ${sources.length}`,
      ours: equal,
      goal: 'all',
      met: equal === sources.length,
    },
  ];
}

/** In Chinese, characters. */
const words = (texts: readonly string[], language: Language): number =>
  texts.flatMap((text) => text.match(language === 'zh' ? /\p{Script=Han}/gu : /[\p{L}\p{N}]+/gu) ?? [])
    .length;
