import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { fetchWeights as FetchWeights } from '@workers/model-store/sources.ts';

// Chromium remembers for half a minute how much room there is, so a full disk cannot be had at will
// there: here the store refuses as a browser's does. Everything else of the cache is tested in Chromium.
const SILERO = 'unisono/silero-vad/silero_vad_v6.onnx';
const weights = new Uint8Array(2_327_524).fill(7);
let fetchWeights: typeof FetchWeights;

beforeEach(async () => {
  vi.stubGlobal('self', { location: new URL('http://localhost/worker.js') });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(weights)));
  ({ fetchWeights } = await import('@workers/model-store/sources.ts'));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('goes on with a model that there is no room to keep, and says so', async () => {
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  const onNotStored = vi.fn();
  expect(Buffer.from(await fetchWeights(SILERO, { onNotStored })).equals(weights)).toBe(true);
  expect(onNotStored).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({
      code: 'storage-full',
      message: expect.stringContaining('Free some disk space') as string,
    }),
  );
});
