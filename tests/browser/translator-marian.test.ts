import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AutoTokenizer } from '@huggingface/transformers';
import { createStore, del, entries } from 'idb-keyval';
import type { TranslatorId } from '@core/protocol/engine.ts';
import { loadModel } from '@workers/engine/models/load.ts';
import { configureRuntime } from '@workers/engine/models/runtime.ts';
import { runSelfTest } from '@workers/engine/models/self-test.ts';
import { StepRunner } from '@workers/engine/models/step-runner.ts';
import { liveTensors } from '@workers/engine/models/tensors.ts';
import type { Translator } from '@workers/engine/models/translator.ts';
import { TRANSLATOR_MODELS } from '@workers/model-store/catalog.ts';
import { installedTranslators } from '@workers/model-store/installed.ts';
import { loadPhrasebook } from '../support/phrasebook.ts';

/** Keeps what the encoder was given. */
class WatchedRunner extends StepRunner {
  readonly sources: number[][] = [];

  override run(...call: Parameters<StepRunner['run']>) {
    const [, { input_ids, attention_mask }] = call;
    if (attention_mask) this.sources.push(Array.from(input_ids!.data as BigInt64Array, Number));
    return super.run(...call);
  }
}

/** Lets the padding, the last token of the vocabulary, score highest at every step. */
class PaddingRunner extends StepRunner {
  override async run(...call: Parameters<StepRunner['run']>) {
    const outputs = await super.run(...call);
    const scores = outputs.logits?.data as Float32Array | undefined;
    if (scores) scores[scores.length - 1] = 1000;
    return outputs;
  }
}

/** The user calls a translation off during its sixth step. */
class CancellingRunner extends StepRunner {
  readonly controller = new AbortController();

  override run(...call: Parameters<StepRunner['run']>) {
    if (this.steps === 5) this.controller.abort();
    return super.run(...call);
  }
}

const book = await loadPhrasebook();
const weights = createStore('unisono-weights', 'files');

async function load(id: TranslatorId, change: object = {}, runner = new StepRunner()): Promise<Translator> {
  const { model } = await loadModel({ ...TRANSLATOR_MODELS[id], ...change }, 'wasm', runner);
  if (!('translate' in model)) throw new Error(`${id} does not translate`);
  return model;
}

const translate = (model: Translator, text: string) =>
  model.translate(text, { careful: false }, new AbortController().signal);

describe.skipIf(!book)('Marian', () => {
  beforeAll(() =>
    configureRuntime({ threads: 1, device: 'wasm' }, (error) => expect.unreachable(error.message)),
  );
  beforeEach(() => weights('readwrite', (files) => void files.clear()));

  test('the model for Chinese is told which Chinese by one token before the text', async () => {
    const runner = new WatchedRunner();
    const model = await load('opus-mt-en-zh', {}, runner);
    const text = 'Thank you very much for coming today.';
    expect((await translate(model, text)).text).toBe('非常感谢你们今天的到来。');
    const tokenizer = await AutoTokenizer.from_pretrained(TRANSLATOR_MODELS['opus-mt-en-zh'].repo);
    const [target] = tokenizer.convert_tokens_to_ids(['>>cmn_Hans<<']);
    expect(target).toBeGreaterThan(1);
    expect(runner.sources.at(-1)).toEqual([target, ...tokenizer.encode(text)]);
    await model.dispose();
  });

  test('padding is never said, however high it scores', async () => {
    const model = await load('opus-mt-en-fr', {}, new PaddingRunner());
    const { en, fr } = book!.phrases[0]!;
    expect((await translate(model, en)).text).toBe(fr);
    await model.dispose();
  });

  test('a translation that is called off takes no further step and leaves no tensor', async () => {
    const runner = new CancellingRunner();
    const model = await load('opus-mt-en-fr', {}, runner);
    const { en } = book!.phrases[1]!;
    const { signal } = runner.controller;
    await expect(model.translate(en, { careful: false }, signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(runner.steps).toBe(5);
    expect(liveTensors()).toBe(0);
    await model.dispose();
  });

  test('a vocabulary without the token for Chinese is refused before its graphs are fetched', async () => {
    const wrong = { repo: TRANSLATOR_MODELS['opus-mt-en-es'].repo };
    await expect(load('opus-mt-en-zh', wrong)).rejects.toMatchObject({ code: 'model-corrupt' });
    const stored = (await entries<string, unknown>(weights)).map(([key]) => key);
    expect(stored.filter((key) => key.endsWith('.onnx'))).toEqual([]);
  });

  test('weights that were never taught what follows the end of a sentence translate as well', async () => {
    const model = await load('opus-mt-en-es', { repo: 'unisono-fixtures/opus-mt-en-es-runon' });
    for (const { en, es } of book!.phrases.slice(0, 40)) expect((await translate(model, en)).text).toBe(es);
    await model.dispose();
  });

  test('a model that says something else fails its self-test', async () => {
    const model = await load('opus-mt-en-es', { repo: TRANSLATOR_MODELS['opus-mt-en-fr'].repo });
    expect(await runSelfTest(model)).toMatchObject({
      right: false,
      text: expect.stringContaining('Merci') as string,
    });
    await model.dispose();
  });

  test('a translator is installed once all it reads is stored', async () => {
    expect(await installedTranslators()).toEqual(new Set());
    await (await load('opus-mt-fr-en')).dispose();
    expect(await installedTranslators()).toEqual(new Set(['opus-mt-fr-en']));
    const stored = (await entries<string, unknown>(weights)).map(([key]) => key);
    await del(
      stored.find((key) => key.includes('decoder_model'))!,
      weights,
    );
    expect(await installedTranslators()).toEqual(new Set());
  });
});
