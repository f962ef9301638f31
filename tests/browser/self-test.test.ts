import { afterEach, expect, test } from 'vitest';
import type { RungId } from '@core/protocol/engine.ts';
import { TestInference } from '../support/inference.ts';

let inference: TestInference;
afterEach(() => inference.dispose());

test.each<[RungId, number]>([
  ['wasm', 1],
  ['wasm-threads', 2],
])('on %s both starter models read the known-answer clip right', async (rung, threads) => {
  inference = new TestInference();
  await inference.api.configure({ threads, device: 'wasm' });
  for (const model of ['whisper-tiny', 'moonshine-tiny'] as const) {
    const { loadMs } = await inference.api.load(model, rung);
    expect(loadMs).toBeGreaterThan(0);
    const report = await inference.api.selfTest(model);
    expect(report).toMatchObject({ right: true });
    expect(report.decodeMs).toBeGreaterThan(0);
    await inference.api.unload(model);
    await expect(inference.api.selfTest(model)).rejects.toMatchObject({ code: 'model-unknown' });
  }
});
