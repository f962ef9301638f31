import { afterEach, describe, expect, test } from 'vitest';
import { TestInference } from '../support/inference.ts';
import { loadPhrasebook } from '../support/phrasebook.ts';

const book = await loadPhrasebook();

/** On a software adapter, whose arithmetic is right and whose speed says nothing: seconds a sentence. */
describe.skipIf(!book)('translator on WebGPU', () => {
  let inference: TestInference;
  afterEach(() => inference.dispose());

  test('a sentence is translated in full precision as on the CPU', async () => {
    inference = new TestInference();
    await inference.api.configure({ threads: 1, device: 'webgpu' });
    await inference.api.load('opus-mt-en-es', 'webgpu-fp32');
    const { en, es } = book!.phrases[5]!;
    expect((await inference.translate('opus-mt-en-es', en)).text).toBe(es);
    expect((await inference.counters()).liveTensors).toBe(0);
  });
});
