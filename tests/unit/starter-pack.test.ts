import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import llama from 'llama-tokenizer-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layOutStarterPack, type Pins } from '../../scripts/starter-pack/lay-out.mjs';
import { moonshineTokenizer } from '../../scripts/starter-pack/moonshine.mjs';
import pins from '@workers/model-store/starter-files.json';

const project = fileURLToPath(new URL('../..', import.meta.url));
const shared = process.env.UNISONO_SHARED ?? join(project, '../shared');
const fixture = join(shared, 'models/hub/unisono-fixtures/moonshine-tiny/tokenizer.json');

// Two small packages: the whole pack is 77 MB.
const VAD = '@ricky0123/vad-web';
const small: Pins = {
  files: pins.files.filter((file) => file.package === VAD || !file.package),
  sources: pins.sources,
};

let root = '';
let out = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'starter-'));
  out = join(root, '.cache/starter');
  for (const pin of [...small.files, ...small.sources]) {
    if (!pin.package || !pin.file) continue;
    for (const file of [pin.file, 'package.json']) {
      const target = join(root, 'node_modules', pin.package, file);
      await mkdir(dirname(target), { recursive: true });
      await cp(join(project, 'node_modules', pin.package, file), target);
    }
  }
});

afterEach(() => rm(root, { recursive: true }));

const layOut = () => layOutStarterPack({ root, out, pins: small });

it('lays out every pinned file with a manifest, and does nothing the second time', async () => {
  expect((await layOut()).changed).toBe(true);
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')) as Pins;
  expect(manifest.files).toEqual(small.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })));
  for (const { path, bytes } of small.files) expect((await stat(join(out, path))).size).toBe(bytes);
  expect((await layOut()).changed).toBe(false);
});

it('lays out again what somebody deleted', async () => {
  await layOut();
  const [first] = small.files;
  if (!first) throw new Error('no files pinned');
  await rm(join(out, first.path));
  expect((await layOut()).changed).toBe(true);
  expect((await stat(join(out, first.path))).size).toBe(first.bytes);
});

it('refuses a package whose content is not what was pinned, naming package, file and both hashes', async () => {
  const victim = small.files.find((file) => file.package === VAD);
  if (!victim?.file) throw new Error('no file pinned');
  await writeFile(join(root, 'node_modules', VAD, victim.file), 'something else');
  await expect(layOut()).rejects.toThrow(
    new RegExp(
      `${victim.file}.*${VAD}.*not what was pinned[^]*expected ${victim.sha256}[^]*found +[0-9a-f]{64} \\(14 bytes\\)`,
    ),
  );
  expect(existsSync(out)).toBe(false);
});

it('does not run the code of a tokenizer package that is not what was pinned', async () => {
  const [source] = small.sources;
  if (!source) throw new Error('no source pinned');
  const marker = join(root, 'was-run');
  const code = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, ''); export default {};`;
  await writeFile(join(root, 'node_modules', source.package, source.file), code);
  await expect(layOut()).rejects.toThrow(source.package);
  expect(existsSync(marker)).toBe(false);
});

it.skipIf(!existsSync(fixture))('builds the tokenizer that was published with the model', async () => {
  expect(moonshineTokenizer(llama)).toEqual(JSON.parse(await readFile(fixture, 'utf8')));
});
