import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import llama from 'llama-tokenizer-js';
import { createStore, entries, set } from 'idb-keyval';
import { createRpc } from '@core/protocol/rpc.ts';
import { RECOGNIZER_MODELS, VAD_MODELS, filesOf, pathOf } from '@workers/model-store/catalog.ts';
import { starterFile } from '@workers/model-store/starter.ts';
import type { ModelStorePage, ModelStoreWorker } from './model-store.worker.ts';

const HUB = inject('hubUrl');
const WHISPER = RECOGNIZER_MODELS['whisper-tiny'];
const SILERO = pathOf(VAD_MODELS['silero-v6'], VAD_MODELS['silero-v6'].file);
const HUB_ONLY = 'unisono-test/whisper';

const workers: Worker[] = [];

function startWorker() {
  const worker = new Worker(new URL('./model-store.worker.ts', import.meta.url), { type: 'module' });
  workers.push(worker);
  const progress: { file: string; loadedBytes: number; totalBytes: number }[] = [];
  const rpc = createRpc<ModelStoreWorker, ModelStorePage>(worker, {
    progress: (file, loadedBytes, totalBytes) => void progress.push({ file, loadedBytes, totalBytes }),
  });
  return { rpc, progress };
}

const store = () => createStore('unisono-weights', 'files');
const storedKeys = async () => (await entries<string, unknown>(store())).map(([key]) => key).sort();

const control = (path: string, init?: RequestInit) => fetch(`${HUB}_test/${path}`, init);
const hubLog = async () => (await (await control('log')).json()) as { path: string; host: string }[];
const addFault = (fault: object) => control('fault', { method: 'POST', body: JSON.stringify(fault) });

beforeEach(async () => {
  const keys = store();
  await keys('readwrite', (files) => files.clear());
  await control('log', { method: 'DELETE' });
});

afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

it('keeps the starter model: the next visit asks the network for no weight', async () => {
  const first = startWorker();
  expect(await first.rpc.load(WHISPER.repo, HUB)).toBe('Good morning everyone.');
  const asked = await first.rpc.requests();
  const files = filesOf(WHISPER, 'wasm');
  expect(asked.map((url) => new URL(url).pathname.replace('/models/', '')).sort()).toEqual([...files].sort());
  expect(await storedKeys()).toEqual([...files].sort());

  const second = startWorker();
  expect(await second.rpc.load(WHISPER.repo, HUB)).toBe('Good morning everyone.');
  expect(await second.rpc.requests()).toEqual([]);
  expect(await hubLog()).toEqual([]);
});

it('downloads a model that does not come with the app, shows how far it is, and keeps it', async () => {
  const first = startWorker();
  expect(await first.rpc.load(HUB_ONLY, HUB)).toBe('Good morning everyone.');
  const decoder = first.progress.filter(({ file }) => file.includes('decoder'));
  expect(decoder.length).toBeGreaterThan(2);
  expect(decoder.map(({ loadedBytes }) => loadedBytes)).toEqual(
    decoder.map(({ loadedBytes }) => loadedBytes).sort((a, b) => a - b),
  );
  expect(decoder.at(-1)).toMatchObject({ loadedBytes: 30_727_765, totalBytes: 30_727_765 });

  await control('log', { method: 'DELETE' });
  const second = startWorker();
  expect(await second.rpc.load(HUB_ONLY, HUB)).toBe('Good morning everyone.');
  expect(await second.rpc.requests()).toEqual([]);
  expect(await hubLog()).toEqual([]);
});

it.each([true, false])(
  'keeps nothing of a download that broke off, says what to do, and works the next time (progress shown: %s)',
  async (withProgress) => {
    await addFault({ path: 'decoder_model_merged_quantized.onnx', cutAfterBytes: 5_000_000, times: 1 });
    const { rpc } = startWorker();
    await expect(rpc.load(HUB_ONLY, HUB, withProgress)).rejects.toMatchObject({
      code: 'model-download-failed',
      message: expect.stringMatching(/connection failed.*try again.*Moonshine tiny/) as string,
    });
    expect((await storedKeys()).filter((key) => key.includes('decoder'))).toEqual([]);

    const next = startWorker();
    expect(await next.rpc.load(HUB_ONLY, HUB)).toBe('Good morning everyone.');
    expect((await storedKeys()).filter((key) => key.includes('decoder'))).toHaveLength(1);
  },
);

it.each([
  {
    name: 'too many downloads',
    fault: { status: 429, retryAfterS: 60 },
    repo: HUB_ONLY,
    says: /wait a few minutes/,
  },
  {
    name: 'a model that needs permission',
    fault: null,
    repo: 'unisono-test/gated',
    says: /not open to everyone/,
  },
  { name: 'a hub in trouble', fault: { status: 503 }, repo: HUB_ONLY, says: /answered 503/ },
])('explains why a download was refused: $name', async ({ fault, repo, says }) => {
  if (fault) await addFault({ path: repo, times: 20, ...fault });
  const { rpc } = startWorker();
  await expect(rpc.load(repo, HUB)).rejects.toMatchObject({
    code: 'model-download-failed',
    message: expect.stringMatching(says) as string,
  });
  expect(await storedKeys()).toEqual([]);
});

it('says so when the hub cannot be reached', async () => {
  const { rpc } = startWorker();
  await expect(rpc.load(HUB_ONLY, 'http://localhost:9/')).rejects.toMatchObject({
    code: 'model-download-failed',
    detail: { model: HUB_ONLY, host: 'localhost:9' },
  });
});

it('gives the voice detector its weights from the same cache, with progress', async () => {
  const expected = starterFile(SILERO);
  const first = startWorker();
  expect(await first.rpc.weights(SILERO)).toEqual({ sha256: expected?.sha256, bytes: expected?.bytes });
  expect(first.progress.at(-1)).toMatchObject({ loadedBytes: expected?.bytes, totalBytes: expected?.bytes });
  expect(await first.rpc.requests()).toHaveLength(1);

  const second = startWorker();
  expect((await second.rpc.weights(SILERO)).sha256).toBe(expected?.sha256);
  expect(await second.rpc.requests()).toEqual([]);
});

it('replaces a starter file that an older version of the app has stored', async () => {
  const old = {
    blob: new Blob(['old weights']),
    headers: [['content-length', '11']],
    sha256: 'of the old file',
  };
  await set(SILERO, old, store());
  const { rpc } = startWorker();
  expect((await rpc.weights(SILERO)).sha256).toBe(starterFile(SILERO)?.sha256);
  const again = startWorker();
  expect((await again.rpc.weights(SILERO)).sha256).toBe(starterFile(SILERO)?.sha256);
  expect(await again.rpc.requests()).toEqual([]);
});

it("reads and writes text with Moonshine's tokenizer, made at build time, as its publisher's does", async () => {
  const text = 'Ask not what your country can do for you: 100 % – “naïve” 你好 🎉';
  const { rpc } = startWorker();
  expect(await rpc.tokenize(RECOGNIZER_MODELS['moonshine-tiny'].repo, text)).toEqual({
    ids: llama.encode(text),
    text,
  });
});
