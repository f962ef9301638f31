import { cp, mkdir, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import type { Plugin } from 'vite';

const TYPES: Record<string, string> = {
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
};

/**
 * Serves folders outside `public` under a URL prefix while developing and testing, and copies
 * them into the build. A missing file is a 404, never the app's index page: transformers.js
 * takes any 200 for the file it asked for.
 */
export function assetFolders(folders: { url: string; dir: string; only?: RegExp }[]): Plugin {
  const wanted = (only: RegExp | undefined, name: string) => !only || only.test(name);
  let outDir = 'dist';
  return {
    name: 'unisono-asset-folders',
    configResolved(config) {
      outDir = config.build.outDir;
    },
    configureServer(server) {
      for (const { url, dir, only } of folders) {
        server.middlewares.use(url, (request, response) => {
          const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
          const file = join(dir, path);
          void stat(file)
            .then((info) => {
              if (!info.isFile() || !wanted(only, file) || !file.startsWith(dir)) throw new Error('absent');
              response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
              response.setHeader('Content-Length', info.size);
              response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
              createReadStream(file).pipe(response);
            })
            .catch(() => {
              response.statusCode = 404;
              response.end();
            });
        });
      }
    },
    async closeBundle() {
      if (this.environment.name !== 'client' || this.environment.mode !== 'build') return;
      for (const { url, dir, only } of folders) {
        const target = join(outDir, url);
        await mkdir(target, { recursive: true });
        await cp(dir, target, {
          recursive: true,
          dereference: true,
          filter: async (source) => (await stat(source)).isDirectory() || wanted(only, source),
        });
      }
    },
  };
}
