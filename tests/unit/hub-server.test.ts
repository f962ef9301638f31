import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HUB_COMMIT, startHub, type Hub } from '../support/hub-server.ts';

// What the app's downloads rely on must be what the real hub does: these are its documented answers.
const WEIGHTS = Uint8Array.from({ length: 50_000 }, (_, index) => index % 251);
const ETAG = `"${createHash('sha256').update(WEIGHTS).digest('hex')}"`;

let root = '';
let hub: Hub;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hub-'));
  for (const repo of ['org/open', 'org/gated']) {
    await mkdir(join(root, repo, 'onnx'), { recursive: true });
    await writeFile(join(root, repo, 'config.json'), '{"model_type":"x"}');
    await writeFile(join(root, repo, 'onnx/model.onnx'), WEIGHTS);
  }
  hub = await startHub({ roots: [root], gated: { 'org/gated': 'secret' } });
});

afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});

beforeEach(() => hub.reset());

const get = (path: string, init?: RequestInit) => fetch(new URL(path, hub.url), init);
const MODEL = 'org/open/resolve/main/onnx/model.onnx';

it('serves small files itself and large ones by redirect to another origin, with the linked size and hash', async () => {
  const config = await get('org/open/resolve/main/config.json');
  expect(await config.json()).toEqual({ model_type: 'x' });
  expect(config.headers.get('x-repo-commit')).toBe(HUB_COMMIT);
  expect(config.headers.get('access-control-allow-origin')).toBe('*');

  const redirect = await get(MODEL, { redirect: 'manual' });
  expect(redirect.status).toBe(302);
  expect(new URL(redirect.headers.get('location') ?? '').origin).not.toBe(new URL(hub.url).origin);
  expect(redirect.headers.get('x-linked-size')).toBe('50000');
  expect(redirect.headers.get('x-linked-etag')).toBe(ETAG);
  expect(redirect.headers.get('access-control-expose-headers')).toContain('X-Linked-ETag');

  const model = await get(MODEL);
  expect(new Uint8Array(await model.arrayBuffer())).toEqual(WEIGHTS);
  expect(hub.log.map(({ host, status }) => `${host} ${status}`)).toEqual([
    'hub 200',
    'hub 302',
    'hub 302',
    'cdn 200',
  ]);
});

it('answers HEAD without a body', async () => {
  const head = await get(MODEL, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe('50000');
  expect((await head.arrayBuffer()).byteLength).toBe(0);
});

it('serves ranges, and the whole file when it has changed since', async () => {
  const part = await get(MODEL, { headers: { Range: 'bytes=49990-', 'If-Range': ETAG } });
  expect(part.status).toBe(206);
  expect(part.headers.get('content-range')).toBe('bytes 49990-49999/50000');
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(WEIGHTS.slice(49_990));
  const changed = await get(MODEL, { headers: { Range: 'bytes=49990-', 'If-Range': '"other"' } });
  expect(changed.status).toBe(200);
  expect((await get(MODEL, { headers: { Range: 'bytes=60000-' } })).status).toBe(416);
});

it('opens a gated repository only with its token, and hides whether a repository exists', async () => {
  const gated = 'org/gated/resolve/main/config.json';
  const answers = [
    await get(gated),
    await get(gated, { headers: { Authorization: 'Bearer wrong' } }),
    await get(gated, { headers: { Authorization: 'Bearer secret' } }),
    await get('org/none/resolve/main/config.json'),
    await get('org/open/resolve/main/none.json'),
  ];
  expect(answers.map(({ status, headers }) => [status, headers.get('x-error-code')])).toEqual([
    [401, 'GatedRepo'],
    [403, 'GatedRepo'],
    [200, null],
    [401, 'RepoNotFound'],
    [404, 'EntryNotFound'],
  ]);
});

it('fails as often as a test asks for, then works again', async () => {
  hub.addFault({ path: 'config.json', status: 429, retryAfterS: 7, times: 1 });
  const busy = await get('org/open/resolve/main/config.json');
  expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
  expect((await get('org/open/resolve/main/config.json')).status).toBe(200);

  hub.addFault({ path: 'model.onnx', cutAfterBytes: 1000, times: 1 });
  await expect(get(MODEL).then((response) => response.arrayBuffer())).rejects.toThrow();
  expect((await (await get(MODEL)).arrayBuffer()).byteLength).toBe(50_000);
});
