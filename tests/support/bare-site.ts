import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Site } from './site.ts';

/** What a browser without these looks like to any thread: they are taken away before the first line of the app. */
const BARE = `
for (const type of ['Navigator', 'WorkerNavigator'])
  if (globalThis[type]) Reflect.deleteProperty(globalThis[type].prototype, 'locks');
for (const name of ['BroadcastChannel', 'FileSystemFileHandle']) Reflect.deleteProperty(globalThis, name);
Reflect.deleteProperty(StorageManager.prototype, 'getDirectory');
`;
const BARE_PATH = '/bare.js';

/** Stands before a site and takes Web Locks, BroadcastChannel and OPFS away from its page and from every worker. */
export async function bareSite(site: Pick<Site, 'url'>): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', site.url).pathname;
    void (async () => {
      const answer = await fetch(new URL(request.url ?? '/', site.url), {
        headers: { accept: request.headers.accept ?? '*/*' },
      });
      let body = Buffer.from(await answer.arrayBuffer());
      if (path === BARE_PATH) body = Buffer.from(BARE);
      else if (/\.worker-[^/]*\.js$/.test(path))
        body = Buffer.concat([Buffer.from(`import '${BARE_PATH}';\n`), body]);
      else if (answer.headers.get('content-type')?.startsWith('text/html'))
        body = Buffer.from(body.toString().replace('<head>', `<head><script src="${BARE_PATH}"></script>`));
      const headers = Object.fromEntries(
        [...answer.headers].filter(([name]) => /^(content-type|cross-origin-.*)$/.test(name)),
      );
      const type = path === BARE_PATH ? { 'content-type': 'text/javascript' } : {};
      response.writeHead(path === BARE_PATH ? 200 : answer.status, {
        ...headers,
        ...type,
        'content-length': body.length,
      });
      response.end(body);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
