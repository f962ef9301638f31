import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** The commit that every revision of every repository resolves to. */
export const HUB_COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Something that goes wrong with requests for one path until it has happened `times` times. */
interface HubFault {
  /** Part of the URL's path. */
  readonly path: string;
  /** Answer with this status, such as 429 or 503. */
  readonly status?: number;
  readonly retryAfterS?: number;
  /** Answer only when the hub is reset. */
  readonly held?: boolean;
  /** Break the connection off after this many bytes of the body. */
  readonly cutAfterBytes?: number;
  readonly times: number;
}

interface HubRequest {
  readonly host: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly authorized: boolean;
  readonly status: number;
}

interface HubOptions {
  /** Folders laid out as `{org}/{repo}/{file}`. */
  readonly roots?: readonly string[];
  /** `org/repo` to the folder that holds its files; looked at first. */
  readonly repos?: Readonly<Record<string, string>>;
  /** `org/repo` to the bearer token that opens it. */
  readonly gated?: Readonly<Record<string, string>>;
}

export interface Hub {
  /** With a slash at the end, as transformers.js wants its remoteHost. */
  readonly url: string;
  readonly log: readonly HubRequest[];
  addFault(fault: HubFault): void;
  reset(): void;
  close(): Promise<void>;
}

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag';

/** Files that the hub keeps in large-file storage and serves by redirect. */
const LARGE = /\.(onnx|onnx_data|bin|safetensors)$/;

const hashes = new Map<string, Promise<string>>();

function sha256Of(file: string): Promise<string> {
  const key = `${file}:${statSync(file).mtimeMs}`;
  const known = hashes.get(key);
  if (known) return known;
  const pending = (async () => {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  })();
  hashes.set(key, pending);
  return pending;
}

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    // It ends with the process that uses it.
    server.unref();
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://localhost:${(server.address() as AddressInfo).port}/`);
    });
  });

const closeNow = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });

/**
 * A model hub on this computer that answers as the Hugging Face hub does: `/{org}/{repo}/resolve/
 * {revision}/{file}`, large files by redirect to a second origin, ranges, gated repositories,
 * error codes, CORS. A page controls it over HTTP: GET or DELETE `/_test/log`, POST `/_test/fault`.
 */
export async function startHub({ roots = [], repos = {}, gated = {} }: HubOptions): Promise<Hub> {
  const log: HubRequest[] = [];
  let faults: (HubFault & { left: number })[] = [];
  let cdnUrl = '';
  let hubUrl = '';

  const addFault = (fault: HubFault) => faults.push({ ...fault, left: fault.times });
  let releases: (() => void)[] = [];
  const reset = () => {
    for (const release of releases) release();
    releases = [];
    log.length = 0;
    faults = [];
  };
  const faultFor = (path: string, applies: (fault: HubFault) => boolean) => {
    const fault = faults.find((each) => each.left > 0 && applies(each) && path.includes(each.path));
    if (fault) fault.left--;
    return fault;
  };
  const folderOf = (repo: string) =>
    repos[repo] ?? roots.map((root) => join(root, repo)).find((folder) => existsSync(folder));
  const locate = (path: string) => {
    const match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (!match) return null;
    const [, repo = '', , file = ''] = match;
    const folder = folderOf(repo);
    const full = folder && !file.includes('..') ? join(folder, file) : null;
    return { repo, folder, file: full && existsSync(full) && statSync(full).isFile() ? full : null };
  };

  function refuse(response: ServerResponse, status: number, code: string, message: string): void {
    response.writeHead(status, { 'X-Error-Code': code, 'X-Error-Message': message }).end(message);
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, file: string, etag: string): void {
    const size = statSync(file).size;
    const conditional = request.headers['if-range'];
    const match =
      conditional === undefined || conditional === etag
        ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
        : null;
    const start = match ? Number(match[1]) : 0;
    const end = match?.[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
    if (start > end) {
      response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
      return;
    }
    response.writeHead(match ? 206 : 200, {
      'Content-Type': file.endsWith('.json') ? 'application/json' : 'application/octet-stream',
      'Content-Length': end - start + 1,
      ...(match ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const cut = faultFor(
      request.url ?? '',
      ({ cutAfterBytes = Infinity }) => cutAfterBytes <= end - start,
    )?.cutAfterBytes;
    const stream = createReadStream(file, { start, end: cut === undefined ? end : start + cut - 1 });
    stream.pipe(response, { end: cut === undefined });
    if (cut !== undefined) stream.on('end', () => response.socket?.end());
  }

  async function answer(
    host: 'hub' | 'cdn',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', hubUrl).pathname);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST, DELETE');
      response.setHeader('Access-Control-Allow-Headers', 'Authorization, Range, If-Range, Content-Type');
      response.writeHead(204).end();
      return;
    }
    if (path.startsWith('/_test/')) {
      await control(path, request, response);
      return;
    }
    log.push({
      host,
      method: request.method ?? 'GET',
      path,
      range: request.headers.range ?? null,
      authorized: token !== undefined,
      get status() {
        return response.statusCode;
      },
    });
    response.setHeader('X-Repo-Commit', HUB_COMMIT);
    response.setHeader('Accept-Ranges', 'bytes');
    if (faultFor(path, ({ held }) => held === true)) {
      await new Promise<void>((release) => releases.push(release));
    }
    const fault = faultFor(path, ({ status }) => status !== undefined);
    if (fault?.status !== undefined) {
      if (fault.retryAfterS !== undefined) response.setHeader('Retry-After', fault.retryAfterS);
      refuse(response, fault.status, 'Fault', 'A fault that a test asked for.');
      return;
    }
    const found = locate(path);
    // Like the hub: whether a repository does not exist or is private is not told to strangers.
    if (!found?.folder) {
      refuse(response, 401, 'RepoNotFound', 'Repository not found');
      return;
    }
    const required = gated[found.repo];
    if (host === 'hub' && required !== undefined && token !== required) {
      refuse(response, token === undefined ? 401 : 403, 'GatedRepo', 'Access to this model is restricted.');
      return;
    }
    if (!found.file) {
      refuse(response, 404, 'EntryNotFound', 'Entry not found');
      return;
    }
    const etag = `"${await sha256Of(found.file)}"`;
    response.setHeader('ETag', etag);
    if (host === 'hub' && LARGE.test(found.file)) {
      response.setHeader('X-Linked-ETag', etag);
      response.setHeader('X-Linked-Size', statSync(found.file).size);
      response.writeHead(302, { Location: new URL(path, cdnUrl).href }).end();
      return;
    }
    sendFile(request, response, found.file, etag);
  }

  async function control(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === 'POST' && path === '/_test/fault') {
      addFault(JSON.parse(Buffer.concat(chunks).toString()) as HubFault);
    }
    if (request.method === 'DELETE') reset();
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(log));
  }

  const serve = (host: 'hub' | 'cdn') =>
    createServer((request, response) => {
      answer(host, request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  const hub = serve('hub');
  const cdn = serve('cdn');
  cdnUrl = await listen(cdn);
  hubUrl = await listen(hub);
  return {
    url: hubUrl,
    log,
    addFault,
    reset,
    close: async () => {
      await Promise.all([closeNow(hub), closeNow(cdn)]);
    },
  };
}
