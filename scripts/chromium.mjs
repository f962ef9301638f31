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
 * The Chromium that tests and benches drive: the one named in CHROMIUM_PATH, Playwright's own if
 * it has been downloaded, or one installed on the system.
 * @returns {string | undefined} undefined when there is none
 */
export function chromiumPath() {
  return [process.env.CHROMIUM_PATH, chromium.executablePath(), ...CANDIDATES].find(
    (path) => path && existsSync(path),
  );
}
