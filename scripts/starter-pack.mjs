import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layOutStarterPack } from './starter-pack/lay-out.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

try {
  const pins = JSON.parse(await readFile(join(root, 'workers/model-store/starter-files.json'), 'utf8'));
  const { changed, files, bytes } = await layOutStarterPack({
    root,
    out: join(root, '.cache/starter'),
    pins,
  });
  if (changed) console.log(`Starter models laid out: ${files} files, ${Math.round(bytes / 1e6)} MB.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
