import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer } from '../../scripts/serve.mjs';

let dir = '';
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dist-'));
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'index.html'), '<title>app</title>');
  await writeFile(join(dir, 'assets/app-1a2b.js'), '0123456789');
  await writeFile(join(dir, 'sw.js'), 'self');
  server = await startServer({ dir, port: 0 });
});

afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers });
const NAVIGATION = { accept: 'text/html,application/xhtml+xml,*/*' };

it('makes the page cross-origin isolated, unless asked to be a plain host', async () => {
  const page = await get('/', NAVIGATION);
  expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  const plain = await startServer({ dir, port: 0, isolation: false });
  try {
    expect((await fetch(plain.url)).headers.has('cross-origin-embedder-policy')).toBe(false);
  } finally {
    await plain.close();
  }
});

it('opens the app at any address, but never in place of a missing file', async () => {
  expect(await (await get('/some/link?action=record', NAVIGATION)).text()).toBe('<title>app</title>');
  expect((await get('/models/org/repo/config.json')).status).toBe(404);
  expect((await get('/models/org/repo/config.json', NAVIGATION)).status).toBe(404);
  expect((await get('/assets/old-9z.js')).status).toBe(404);
  expect((await get('/none.wav')).status).toBe(404);
});

it('lets hashed files be kept for good, and everything else be asked for again', async () => {
  expect((await get('/assets/app-1a2b.js')).headers.get('cache-control')).toContain('immutable');
  const worker = await get('/sw.js');
  expect(worker.headers.get('cache-control')).toBe('no-cache');
  const again = await get('/sw.js', { 'if-none-match': worker.headers.get('etag') ?? '' });
  expect(again.status).toBe(304);
});

it('serves ranges', async () => {
  const part = await get('/assets/app-1a2b.js', { range: 'bytes=2-4' });
  expect([part.status, await part.text()]).toEqual([206, '234']);
  expect(await (await get('/assets/app-1a2b.js', { range: 'bytes=-3' })).text()).toBe('789');
  expect((await get('/assets/app-1a2b.js', { range: 'bytes=10-' })).status).toBe(416);
});

it('serves nothing from outside the build', async () => {
  expect((await get('/..%2f..%2f..%2f..%2fetc%2fpasswd')).status).toBe(404);
});

it('says that the port is taken', async () => {
  await expect(startServer({ dir, port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('sends on what stands elsewhere, with the rest of its path', async () => {
  const forwarding = await startServer({ dir, port: 0, redirects: { '/hub/': `${server.url}/` } });
  try {
    expect(await (await fetch(`${forwarding.url}/hub/assets/app-1a2b.js`)).text()).toBe('0123456789');
  } finally {
    await forwarding.close();
  }
});
