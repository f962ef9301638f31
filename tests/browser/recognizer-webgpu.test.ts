import { afterEach, expect, test } from 'vitest';
import { textOf } from '@core/transcript/types.ts';
import { knownAnswer } from '../support/engine.ts';
import { TestInference } from '../support/inference.ts';

let inference: TestInference;
afterEach(() => inference.dispose());

/**
 * On a software adapter, whose arithmetic is right and whose speed says nothing: seconds a token.
 */
test('on WebGPU a model reads speech, and losing the device ends the call and is reported', async () => {
  inference = new TestInference();
  await inference.api.configure({ threads: 1, device: 'webgpu' });
  await inference.api.load('moonshine-tiny', 'webgpu-q8');
  // "Thank you for coming": the whole clip takes minutes on a busy machine.
  const speech = (await knownAnswer()).subarray(1.8 * 16_000, 3 * 16_000);
  const { words } = await inference.recognize('moonshine-tiny', speech);
  expect(textOf(words).toLowerCase()).toContain('thank you');
  expect((await inference.counters()).liveTensors).toBe(0);

  const lost = expect(inference.recognize('moonshine-tiny', speech)).rejects.toMatchObject({
    code: 'gpu-lost',
  });
  await inference.api.injectFault?.('gpu-lost');
  await lost;
  expect(inference.losses).toHaveLength(1);
  await expect(inference.recognize('moonshine-tiny', speech)).rejects.toMatchObject({ code: 'gpu-lost' });
  expect((await inference.counters()).liveTensors).toBe(0);
});

test('16-bit floats are refused where the adapter has none', async () => {
  inference = new TestInference();
  await inference.api.configure({ threads: 1, device: 'webgpu' });
  await expect(inference.api.load('moonshine-tiny', 'webgpu-fp16')).rejects.toMatchObject({
    code: 'model-failed',
  });
});
