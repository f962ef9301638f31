import { existsSync } from 'node:fs';
import { chromium } from 'playwright';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * A Chromium to drive: the one named in CHROMIUM_PATH, Playwright's own if it has been downloaded, or
 * one installed on the system.
 * @returns {string | undefined} undefined when there is none
 */
export function findChromium() {
  return [process.env.CHROMIUM_PATH, chromium.executablePath(), ...CANDIDATES].find(
    (path) => path && existsSync(path),
  );
}

/**
 * The Chromium that tests and benches drive.
 * @returns {string}
 */
export function chromiumPath() {
  const path = findChromium();
  if (!path)
    throw new Error('No Chromium was found: run `node scripts/setup.mjs --browser`, or set CHROMIUM_PATH.');
  return path;
}
