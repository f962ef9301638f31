/**
 * `npm run bench [name…] [-- --option=value…]` runs bench/<name>.bench.ts, all of them without a name.
 *
 * A bench is a module that exports `run: Bench` (bench/support/types.ts). It is loaded on a cross-origin
 * isolated page in a real headless Chromium, served by Vite with the project's own configuration: it may
 * start the app's workers and worklets, reads the starter models at /models/ and, where the folder
 * exists, the recordings of ../shared (or UNISONO_SHARED) at `context.sharedUrl`. Audio plays without a
 * gesture, and the microphone is Chromium's fake one (`--microphone=FILE.wav` names what it hears). Each
 * bench gets a fresh page. Printed per row: ours, the peer's, the ratio; all of it, with the device, goes
 * to .cache/bench/<name>.json. The exit code is 1 if a bench throws; a missed goal is only printed.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { chromiumPath } from '../scripts/chromium.mjs';
import { sharedUrl, startModuleServer } from './support/server.mjs';
import { printTable } from './support/table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = join(root, '.cache/bench');
const BENCH = /^(.+)\.bench\.(ts|mjs)$/;

/** Name of each bench and whether it runs in a page (ts) or opens pages of its own (mjs). */
const available = new Map(
  readdirSync(join(root, 'bench')).flatMap((file) => {
    const [, name, kind] = BENCH.exec(file) ?? [];
    return name ? [[name, kind]] : [];
  }),
);
const args = process.argv.slice(2);
const options = Object.fromEntries(
  args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split(/=(.*)/s, 2)),
);
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((name) => !available.has(name));
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(', ')}. There are: ${[...available.keys()].join(', ')}.`);
  process.exit(2);
}

/** A bench that opens and closes pages itself, in profiles of its own. */
async function runOutside(name) {
  const { run } = await import(`./${name}.bench.mjs`);
  const profiles = [];
  const launch = async () => {
    const profile = mkdtempSync(join(tmpdir(), 'unisono-bench-'));
    profiles.push(profile);
    return chromium.launchPersistentContext(profile, launchOptions);
  };
  try {
    const measured = await run({
      server,
      launch,
      options,
      sharedUrl,
      log: (line) => console.log(`  ${line}`),
    });
    return { name, date: new Date().toISOString(), cpu: cpus()[0]?.model, options, ...measured };
  } finally {
    for (const profile of profiles) rmSync(profile, { recursive: true, force: true });
  }
}

/** One bench on one fresh page: its result and the device it ran on. */
async function runInPage(name) {
  const page = await browser.newPage();
  try {
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(`  [page] ${message.text()}`);
    });
    await page.exposeFunction('benchLog', (line) => console.log(`  ${line}`));
    await server.open(page, `/bench/${name}.bench.ts`);
    const measured = await page.evaluate(
      async (input) => {
        const result = await globalThis.loaded.run({
          ...input,
          log: (line) => void globalThis.benchLog(line),
        });
        const { userAgent, hardwareConcurrency: threads } = navigator;
        return { device: { userAgent, threads, crossOriginIsolated }, ...result };
      },
      { sharedUrl, options },
    );
    return { name, date: new Date().toISOString(), cpu: cpus()[0]?.model, options, ...measured };
  } finally {
    await page.close();
  }
}

const launchOptions = {
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    // Memory is measured when it is asked for, not at the next garbage collection.
    '--enable-blink-features=ForceEagerMeasureMemory',
    ...(options.microphone ? [`--use-file-for-fake-audio-capture=${resolve(options.microphone)}`] : []),
  ],
};
mkdirSync(outDir, { recursive: true });
const server = await startModuleServer();
const browser = await chromium.launch(launchOptions);
try {
  for (const name of wanted.length > 0 ? wanted : available.keys()) {
    console.log(`\nbench ${name}`);
    try {
      const report = await (available.get(name) === 'ts' ? runInPage(name) : runOutside(name));
      printTable(report);
      writeFileSync(join(outDir, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
    } catch (error) {
      console.error(`  ${name} failed: ${error.stack ?? error}`);
      process.exitCode = 1;
    }
  }
} finally {
  await browser.close();
  await server.close();
}
