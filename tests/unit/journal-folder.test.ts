import { afterEach, expect, it, vi } from 'vitest';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import { sweepJournals } from '@workers/capture/journal-folder.ts';

afterEach(() => vi.unstubAllGlobals());

it('a page that is no secure context has no files of its own: nothing is swept, and capturing can begin', async () => {
  vi.stubGlobal('navigator', {});
  expect('StorageManager' in globalThis).toBe(false);
  await expect(sweepJournals({} as UnisonoDatabase)).resolves.toBeUndefined();
});
