/**
 * Makes a fresh clone ready: packages, starter models and, with `--browser`, a Chromium for the
 * tests. Runs before most commands, so it is quick when there is nothing to do. Imports only what
 * comes with Node.
 */
import { fileURLToPath } from 'node:url';
import { prepareBrowser } from './setup/browser.mjs';
import { installPackages } from './setup/packages.mjs';
import { prepareStarterPack } from './starter-pack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

try {
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(
      `Unisono needs Node 20.19 or later; this is ${process.versions.node}. See https://nodejs.org.`,
    );
  }
  installPackages(root);
  await prepareStarterPack(root);
  if (process.argv.includes('--browser')) await prepareBrowser(root);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
