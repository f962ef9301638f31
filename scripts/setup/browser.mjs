import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const run = (command, ...args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;

const isRoot = () => process.getuid?.() === 0;

/**
 * Finds a Chromium for tests and benches, or installs one: Playwright's own, or the system's.
 * @throws {Error} saying what to do when there is none and none could be installed
 */
export async function prepareBrowser(root) {
  // Imported only now: it needs a package that may just have been installed.
  const { findChromium } = await import('../chromium.mjs');
  if (findChromium()) return;
  console.log('No Chromium found. Installing one for the tests.');
  run(process.execPath, join(root, 'node_modules/playwright/cli.js'), 'install', 'chromium');
  if (findChromium()) return;
  if (process.platform === 'linux' && isRoot()) {
    console.log("Playwright's Chromium could not be downloaded. Trying the system's package.");
    if (run('apt-get', 'update')) run('apt-get', 'install', '-y', '--no-install-recommends', 'chromium');
  }
  if (findChromium()) return;
  throw new Error(
    'The tests need a Chromium or Chrome. Install one (Debian: apt-get install chromium), or name it: ' +
      'CHROMIUM_PATH=/path/to/chromium npm test',
  );
}
