import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layOutStarterPack } from './starter-pack/lay-out.mjs';

/**
 * Lays out the models that come with the app in `.cache/starter`, where vite.config.ts serves
 * and builds them from. Quick when that has been done.
 * @param {string} root the project's folder, with packages installed
 */
export async function prepareStarterPack(root) {
  const pins = JSON.parse(await readFile(join(root, 'workers/model-store/starter-files.json'), 'utf8'));
  const { changed, files, bytes } = await layOutStarterPack({
    root,
    out: join(root, '.cache/starter'),
    pins,
  });
  if (changed) console.log(`Starter models laid out: ${files} files, ${Math.round(bytes / 1e6)} MB.`);
}
