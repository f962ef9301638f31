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
import { createReadStream, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { chromiumPath } from '../scripts/chromium.mjs';
import { printTable } from './support/table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sharedDir = resolve(root, process.env.UNISONO_SHARED ?? '../shared');
const outDir = join(root, '.cache/bench');
const SUFFIX = '.bench.ts';
const TYPES = { '.wav': 'audio/wav', '.flac': 'audio/flac', '.json': 'application/json' };

const available = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
const args = process.argv.slice(2);
const options = Object.fromEntries(
  args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split(/=(.*)/s, 2)),
);
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(', ')}. There are: ${available.join(', ')}.`);
  process.exit(2);
}

/** Serves the bench page, and ../shared read-only. */
const benchPages = {
  name: 'bench-pages',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname.startsWith('/shared/')) return sendShared(decodeURI(url.pathname.slice(8)), response);
      if (url.pathname !== '/__bench') return next();
      const body = `<!doctype html><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,"><script type="module">
        import { run } from '/bench/${url.searchParams.get('name')}${SUFFIX}';
        const context = { ...(await benchInput()), log: (line) => void benchLog(String(line)) };
        run(context).then((result) => benchDone({ result }), (error) => benchDone({ error: error?.stack ?? String(error) }));
      </script>`;
      server.transformIndexHtml(url.pathname, body).then((html) => {
        response.setHeader('Content-Type', 'text/html');
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
        response.end(html);
      }, next);
    });
  },
};

function sendShared(path, response) {
  const file = join(sharedDir, normalize(`/${path}`));
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.statusCode = 404;
    return response.end();
  }
  response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  response.setHeader('Content-Length', statSync(file).size);
  return createReadStream(file).pipe(response);
}

/** One bench on one fresh page: its result and the device it ran on. */
async function runBench(browser, origin, name) {
  const page = await browser.newPage();
  try {
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(`  [page] ${message.text()}`);
    });
    await page.exposeFunction('benchInput', () => ({
      sharedUrl: existsSync(sharedDir) ? '/shared/' : null,
      options,
    }));
    await page.exposeFunction('benchLog', (line) => console.log(`  ${line}`));
    const outcome = new Promise((settle, fail) => {
      page.once('crash', () => fail(new Error('the page crashed')));
      page.once('pageerror', fail);
      void page
        .exposeFunction('benchDone', settle)
        .then(() => page.goto(`${origin}/__bench?name=${name}`), fail);
    });
    const { result, error } = await outcome;
    if (error) throw new Error(error);
    const device = await page.evaluate(() => ({
      userAgent: navigator.userAgent,
      threads: navigator.hardwareConcurrency,
      crossOriginIsolated,
    }));
    return {
      name,
      date: new Date().toISOString(),
      device: { cpu: cpus()[0]?.model, ...device },
      options,
      ...result,
    };
  } finally {
    await page.close();
  }
}

mkdirSync(outDir, { recursive: true });
const server = await createServer({
  root,
  mode: 'test',
  logLevel: 'warn',
  plugins: [benchPages],
  cacheDir: join(root, '.cache/vite-bench'),
  // Found before the start: a dependency found later makes Vite reload the page.
  optimizeDeps: { entries: ['bench/*.bench.ts', 'bench/support/*.worker.ts', 'workers/*/*.worker.ts'] },
  server: { port: 0, watch: null, strictPort: false },
});
await server.listen();
const { port } = server.httpServer.address();
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    ...(options.microphone ? [`--use-file-for-fake-audio-capture=${resolve(options.microphone)}`] : []),
  ],
});
try {
  for (const name of wanted.length > 0 ? wanted : available) {
    console.log(`\nbench ${name}`);
    try {
      const report = await runBench(browser, `http://localhost:${port}`, name);
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
