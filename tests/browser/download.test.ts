import { createStore } from 'idb-keyval';
import { afterAll, expect, test } from 'vitest';
import { isKnownAnswer } from '@core/text/known-answer.ts';
import { textOf } from '@core/transcript/types.ts';
import { knownAnswer } from '../support/engine.ts';
import { TestInference } from '../support/inference.ts';
import { loadPhrasebook } from '../support/phrasebook.ts';

const book = await loadPhrasebook();
const inference = new TestInference();
afterAll(() => inference.dispose());

/** The hub behind this page's own origin. */
const control = (path: string, init: RequestInit) => fetch(`/hub/_test/${path}`, init);

test.skipIf(!book)('speech is read while a translator is downloaded, however long that takes', async () => {
  await createStore('unisono-weights', 'files')('readwrite', (files) => files.clear());
  await inference.api.configure({ threads: 1, device: 'wasm' });
  await inference.api.load('moonshine-tiny', 'wasm');
  const path = 'opus-mt-en-fr/resolve/main/onnx/decoder';
  await control('fault', { method: 'POST', body: JSON.stringify({ path, held: true, times: 1 }) });
  const loading = inference.api.load('opus-mt-en-fr', 'wasm');
  const { words } = await inference.recognize('moonshine-tiny', await knownAnswer());
  expect(isKnownAnswer(textOf(words))).toBe(true);

  await control('log', { method: 'DELETE' });
  expect(await loading).toMatchObject({ sessionsCreated: 2 });
  expect((await inference.translate('opus-mt-en-fr', 'Good morning, everyone.')).text).toBe(
    'Bonjour à tous.',
  );
});
