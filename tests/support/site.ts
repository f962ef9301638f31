import { spawn } from 'node:child_process';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { TEST_HUB_PATH } from './test-hub.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The built app, served by a process of its own: killing it is what "the server is gone" means. */
export interface Site {
  /** Origin without a slash at its end. */
  readonly url: string;
  /** Ends the process; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Serves a build with the project's own server on a free port.
 * @param isolation whether it sends the headers that make the page cross-origin isolated
 * @param hubUrl the model hub that stands behind the folder which test builds ask for models; none without it
 */
export async function serveSite(isolation = true, dir = 'dist-test', hubUrl?: string): Promise<Site> {
  const redirects = hubUrl ? { [TEST_HUB_PATH]: hubUrl } : {};
  const script = `
    const { startServer } = await import('./scripts/serve.mjs');
    const { url } = await startServer({ dir: '${dir}', port: 0, isolation: ${isolation}, redirects: ${JSON.stringify(redirects)} });
    console.log('serving ' + url);
    // Ends with the test run, however that ends.
    process.stdin.resume().on('end', () => process.exit());`;
  const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error('the server ended before it served')));
    let output = '';
    server.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      const address = /serving (\S+?)\/?\s/.exec(output)?.[1];
      if (address) resolve(address);
    });
  });
  return {
    url,
    async kill() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** Stands before a site and writes down what is asked for, whichever thread of the app asks. */
export interface Counter {
  readonly url: string;
  /** Paths in the order they were asked for. */
  readonly paths: string[];
  close(): Promise<void>;
}

export async function countRequests(site: Site): Promise<Counter> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? '');
    const { method, headers, url } = request;
    const onward = forward(new URL(url ?? '/', site.url), { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    paths,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
