import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Without these a page gets no SharedArrayBuffer, and WebAssembly no threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Their names carry a hash or a version: the content behind a URL never changes. */
const IMMUTABLE = /^\/(assets|ort)\//;

/** Where a missing file is an error, never the app's page: a model loader takes any 200 for its file. */
const FILES_ONLY = /^\/(assets|models|ort)\//;

/** First and last byte of a single range; null when there is none, undefined when it cannot be met. */
function rangeOf(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start <= end ? { start, end } : undefined;
}

async function fileAt(dir, path) {
  const file = resolve(join(dir, path));
  if (!file.startsWith(resolve(dir) + sep)) return null;
  const info = await stat(file).catch(() => null);
  return info?.isFile() ? { file, info } : null;
}

async function answer(request, response, dir, redirects) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const moved = Object.keys(redirects).find((prefix) => pathname.startsWith(prefix));
  if (moved !== undefined) {
    response.writeHead(307, { Location: redirects[moved] + pathname.slice(moved.length) }).end();
    return;
  }
  const path = decodeURIComponent(pathname).replace(/\/$/, '/index.html');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const navigation = request.headers.accept?.includes('text/html') && !FILES_ONLY.test(path);
  const found = (await fileAt(dir, path)) ?? (navigation ? await fileAt(dir, 'index.html') : null);
  if (!found) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found\n');
    return;
  }
  const { file, info } = found;
  const etag = `"${info.size.toString(36)}-${Math.trunc(info.mtimeMs).toString(36)}"`;
  response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  response.setHeader(
    'Cache-Control',
    IMMUTABLE.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const ifRange = request.headers['if-range'];
  const range = ifRange === undefined || ifRange === etag ? rangeOf(request.headers.range, info.size) : null;
  if (range === undefined) {
    response.writeHead(416, { 'Content-Range': `bytes */${info.size}` }).end();
    return;
  }
  if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${info.size}`);
  response.writeHead(range ? 206 : 200, {
    'Content-Length': range ? range.end - range.start + 1 : info.size,
  });
  if (request.method === 'HEAD' || info.size === 0) {
    response.end();
    return;
  }
  createReadStream(file, range ?? {})
    .on('error', () => response.destroy())
    .pipe(response);
}

/**
 * Serves a built app to this computer only.
 * @param {{ dir: string, port?: number, isolation?: boolean, redirects?: Record<string, string> }} options
 *   `port` 0 takes a free one; `isolation` false leaves out the headers for cross-origin isolation, as a plain host
 *   would; `redirects` are from the beginning of a path to that of a URL
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>} `close` also ends
 *   connections that are still open
 * @throws {Error} with code EADDRINUSE when the port is taken
 */
export async function startServer({ dir, port = 4173, isolation = true, redirects = {} }) {
  const server = createServer((request, response) => {
    if (isolation) for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
    answer(request, response, dir, redirects).catch(() => {
      if (!response.headersSent) response.writeHead(400);
      response.end();
    });
  });
  await new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  const address = server.address();
  const actualPort = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://localhost:${actualPort}`,
    port: actualPort,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
