import { execFileSync } from 'node:child_process';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serveSite, type Site } from './site.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the app once more, as another build or of another protocol, into `dist-<name>`. */
export async function serveBuild(name: string, env: Readonly<Record<string, string>>): Promise<Site> {
  const outDir = `dist-${name}`;
  const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));
  execFileSync(
    process.execPath,
    [vite, 'build', '--mode', 'test', '--outDir', outDir, '--logLevel', 'error'],
    {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: 'inherit',
    },
  );
  return serveSite(true, outDir);
}

/** Several builds at one origin, as after a deployment: each page is of the build that was the latest when it was asked for. */
export interface Deployments {
  readonly url: string;
  /** From now on pages are of this build. */
  deploy(site: Site): void;
  close(): Promise<void>;
}

export async function serveDeployments(first: Site): Promise<Deployments> {
  const deployed = [first];
  const answer = (request: IncomingMessage, response: ServerResponse, [site, ...others]: readonly Site[]) => {
    if (!site) {
      response.writeHead(404).end();
      return;
    }
    const { method = 'GET', headers, url = '/' } = request;
    const onward = forward(new URL(url, site.url), { method, headers }, (from) => {
      // What only an earlier build has: its page is still open.
      if (from.statusCode === 404) {
        from.resume();
        answer(request, response, others);
        return;
      }
      response.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end();
  };
  const server = createServer((request, response) => answer(request, response, deployed));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    deploy: (site) => void deployed.unshift(site),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
