import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TRANSLATOR_MODELS } from '@workers/model-store/catalog.ts';
import { openPlain } from '../../bench/support/plain.ts';
import { TestInference } from '../support/inference.ts';
import { loadPhrasebook, STAND_INS } from '../support/phrasebook.ts';

const book = await loadPhrasebook();

describe.skipIf(!book)('translator', () => {
  const { phrases = [], missed = new Set<number>() } = book ?? {};
  const inference = new TestInference();
  beforeAll(async () => {
    await inference.api.configure({ threads: 1, device: 'wasm' });
    for (const model of STAND_INS) {
      expect(await inference.api.load(model, 'wasm')).toMatchObject({ sessionsCreated: 2 });
    }
  });
  afterAll(() => inference.dispose());

  test.each(STAND_INS)('%s passes its self-test', async (model) => {
    const { right, decodeMs } = await inference.api.selfTest(model);
    expect(right).toBe(true);
    expect(decodeMs).toBeGreaterThan(0);
  });

  test.each(STAND_INS)('%s translates as the phrasebook and as the plain pipeline do', async (model) => {
    const { from, to } = TRANSLATOR_MODELS[model];
    const some = phrases.filter((_, index) => index % 8 === 0);
    const plain = await openPlain(model);
    const ours: string[] = [];
    const theirs: (string | undefined)[] = [];
    for (const phrase of some) {
      const { text, truncated } = await inference.translate(model, phrase[from]);
      expect(truncated).toBe(false);
      ours.push(text);
      theirs.push((await plain.translate([phrase[from]])).texts[0]);
    }
    plain.close();
    expect(ours).toEqual(theirs);
    const wrong = some.filter((phrase, index) => !missed.has(phrase.id) && ours[index] !== phrase[to]);
    expect(wrong).toEqual([]);
  });

  test('a careful translation says no three words in a row twice', async () => {
    const kennedy = phrases.find(({ id }) => id === 2)!;
    const repeated = (text: string) => {
      const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
      const trigrams = words.slice(2).map((word, at) => `${words[at]} ${words[at + 1]} ${word}`);
      return trigrams.filter((trigram, at) => trigrams.indexOf(trigram) !== at);
    };
    const quick = await inference.translate('opus-mt-es-en', kennedy.es);
    expect(repeated(quick.text)).toEqual(['can do for']);
    const careful = await inference.translate('opus-mt-es-en', kennedy.es, true);
    expect(careful.text.split(' ').length).toBeGreaterThan(5);
    expect(repeated(careful.text)).toEqual([]);
  });

  test('a text of nothing is translated as something that ends', async () => {
    const { truncated } = await inference.translate('opus-mt-en-es', '');
    expect(truncated).toBe(false);
  });

  test('a text far longer than a sentence comes to an end within the model’s length', async () => {
    const { tokens } = await inference.translate(
      'opus-mt-en-es',
      'This is a very long meeting. '.repeat(200),
    );
    expect(tokens).toBeLessThanOrEqual(510);
    expect((await inference.counters()).liveTensors).toBe(0);
  });

  test('a cancelled call ends before its first model step or soon after, and the next call is answered', async () => {
    const { en, fr } = phrases.find(({ id }) => id === 2)!;
    const stepsOf = async (work: () => Promise<unknown>) => {
      const before = await inference.counters();
      await work();
      return (await inference.counters()).steps - before.steps;
    };
    expect(await stepsOf(() => inference.translate('opus-mt-en-fr', en))).toBeGreaterThan(30);
    const steps = await stepsOf(async () => {
      const call = inference.translate('opus-mt-en-fr', en);
      const refused = expect(call).rejects.toMatchObject({ code: 'aborted' });
      await inference.api.cancel(call.callId);
      await refused;
    });
    expect(steps).toBeLessThan(5);
    expect((await inference.counters()).liveTensors).toBe(0);
    expect((await inference.translate('opus-mt-en-fr', en)).text).toBe(fr);
  });

  test('twenty calls leave no tensor behind, and neither does one that fails', async () => {
    for (const phrase of phrases.slice(0, 20)) {
      await inference.translate('opus-mt-zh-en', phrase.zh);
      expect((await inference.counters()).liveTensors).toBe(0);
    }
    await inference.api.injectFault?.('out-of-memory');
    await expect(inference.translate('opus-mt-zh-en', '你好')).rejects.toMatchObject({
      code: 'out-of-memory',
    });
    expect((await inference.counters()).liveTensors).toBe(0);
  });

  test('a direction that is not loaded, or cannot be had, is refused with a code', async () => {
    await expect(inference.translate('opus-mt-es-fr', 'Hola.')).rejects.toMatchObject({
      code: 'model-unknown',
    });
    await expect(inference.api.load('opus-mt-es-fr', 'wasm')).rejects.toMatchObject({
      code: 'model-download-failed',
      message: expect.not.stringContaining('Whisper') as string,
    });
  });
});
