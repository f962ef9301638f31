import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sharedDir = resolve(root, process.env.UNISONO_SHARED ?? '../shared');
const PAGE_PATH = '/__module';
const TYPES = { '.wav': 'audio/wav', '.flac': 'audio/flac', '.json': 'application/json' };

/** Where ../shared is served, with a slash at its end; null where it is absent. */
export const sharedUrl = existsSync(sharedDir) ? '/shared/' : null;

/** Serves pages that hold one module each, and ../shared read-only. */
const modulePages = {
  name: 'module-pages',
  enforce: 'pre',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      // Also on what the project's own middleware sends: ONNX Runtime's threads are workers of their own.
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname.startsWith('/shared/')) return sendShared(decodeURI(url.pathname.slice(8)), response);
      if (url.pathname !== PAGE_PATH) return next();
      const body = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
        import * as loaded from ${JSON.stringify(url.searchParams.get('path'))};
        globalThis.loaded = loaded;
      </script>`;
      server.transformIndexHtml(url.pathname, body).then((html) => {
        response.setHeader('Content-Type', 'text/html');
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

/**
 * Vite with the project's own configuration, for benches and for the plain pipeline the tests compare with.
 * @returns {Promise<{
 *   open(page: import('playwright').Page, path: string): Promise<void>,
 *   close(): Promise<void>,
 * }>} `open` loads the module at `path` (from the project's root) and leaves its exports in the page's
 * global `loaded`, on a cross-origin isolated page.
 */
export async function startModuleServer() {
  const server = await createServer({
    root,
    mode: 'test',
    logLevel: 'warn',
    plugins: [modulePages],
    cacheDir: join(root, '.cache/vite-modules'),
    // Found before the start: a dependency found later makes Vite reload the page.
    optimizeDeps: { entries: ['bench/*.bench.ts', 'bench/support/*.worker.ts', 'workers/*/*.worker.ts'] },
    // The files of a run are those of its start.
    server: { port: 0, hmr: false, watch: { ignored: ['**'] } },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('the module server has no port');
  return {
    async open(page, path) {
      await page.goto(`http://localhost:${address.port}${PAGE_PATH}?path=${encodeURIComponent(path)}`);
      await page.waitForFunction('globalThis.loaded');
    },
    close: () => server.close(),
  };
}
