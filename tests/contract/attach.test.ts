import { afterEach, expect, test } from 'vitest';
import { newTabId, type Epoch } from '@core/protocol/ids.ts';
import type { AttachRequest } from './attach.worker.ts';

const workers: Worker[] = [];

afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

function start() {
  const worker = new Worker(new URL('./attach.worker.ts', import.meta.url), { type: 'module' });
  workers.push(worker);
  return (request: AttachRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(request);
    });
}

test('new tabs one after another get their first answer from the engine of another tab, without any timer', async () => {
  const engine = start();
  const owner = { epoch: 7 as Epoch, tab: newTabId(), build: 1, phase: 'ready' } as const;
  await engine({ type: 'serve', owner });
  const thread = start();
  for (let opened = 0; opened < 30; opened += 1)
    await expect(thread({ type: 'attach', tab: newTabId() })).resolves.toBe(7);
});

test('fifty tabs, eight at a time, all get their first answer', async () => {
  const engine = start();
  const owner = { epoch: 8 as Epoch, tab: newTabId(), build: 1, phase: 'ready' } as const;
  await engine({ type: 'serve', owner });
  const threads = Array.from({ length: 8 }, start);
  const epochs: unknown[] = [];
  await Promise.all(
    threads.map(async (thread, index) => {
      for (let opened = index; opened < 50; opened += threads.length)
        epochs.push(await thread({ type: 'attach', tab: newTabId() }));
    }),
  );
  expect(epochs).toEqual(Array.from({ length: 50 }, () => 8));
});
