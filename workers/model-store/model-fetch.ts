import { UnisonoError } from '@core/protocol/errors.ts';
import { TRANSLATOR_MODELS } from './catalog.ts';
import { starterFile, starterPathOf } from './starter.ts';

const TRANSLATORS = new Set<string>(Object.values(TRANSLATOR_MODELS).flatMap(({ id, repo }) => [id, repo]));

/** The end of the sentence that tells to try again. @param model `org/repo` or an id */
const orElse = (model: string): string =>
  TRANSLATORS.has(model) ? '.' : ', or choose Whisper tiny or Moonshine tiny, which come with the app.';

/** The model a URL belongs to, for a person to read: `org/repo`. */
function modelName(url: URL): string {
  const starterPath = starterPathOf(url);
  const parts =
    starterPath === undefined
      ? url.pathname
          .replace(/\/resolve\/.*/, '')
          .split('/')
          .slice(-2)
      : starterPath.split('/').slice(0, 2);
  return parts.join('/');
}

function unreachable(url: URL, cause: unknown): UnisonoError {
  const model = modelName(url);
  const options = { cause, detail: { model, host: url.host } };
  return navigator.onLine
    ? new UnisonoError(
        'model-download-failed',
        `The model ${model} could not be downloaded from ${url.host}: the connection failed. ` +
          `Check the connection and try again${orElse(model)}`,
        options,
      )
    : new UnisonoError(
        'model-missing-offline',
        `The model ${model} is not on this device yet, and there is no connection. ` +
          `Connect once to download it${orElse(model)}`,
        options,
      );
}

function refused(url: URL, status: number): UnisonoError {
  const model = modelName(url);
  const reason =
    status === 401 || status === 403
      ? 'it does not exist or is not open to everyone'
      : status === 429
        ? 'too many downloads at the moment; wait a few minutes'
        : `the server answered ${status}`;
  return new UnisonoError(
    'model-download-failed',
    `The model ${model} could not be downloaded from ${url.host}: ${reason}. Try again later${orElse(model)}`,
    { detail: { model, host: url.host, status: String(status) } },
  );
}

async function request(url: URL, init: RequestInit | undefined): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw unreachable(url, cause);
  }
}

/**
 * Why the last body broke off. Chromium's `Response.arrayBuffer()`, which transformers.js calls,
 * replaces the error of a stream by a TypeError of its own.
 */
let brokenOff: UnisonoError | undefined;

/** A connection that sends nothing for so long will send no more. */
const IDLE_LIMIT_MS = 60_000;

async function arriving<T>(chunk: Promise<T> | undefined): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError(`nothing arrived for ${IDLE_LIMIT_MS} ms`)), IDLE_LIMIT_MS);
  });
  try {
    return await Promise.race([chunk, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The body that `open` gives, asked for when it is first read; breaks off with a {@link UnisonoError}. */
function bodyFrom(url: URL, open: () => Promise<Response>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          reader ??= (await open()).body?.getReader();
          const { done = true, value } = (await arriving(reader?.read())) ?? {};
          if (done || !value) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          if (!(cause instanceof UnisonoError) && (cause as Error).name === 'AbortError') {
            controller.error(cause);
            return;
          }
          brokenOff = cause instanceof UnisonoError ? cause : unreachable(url, cause);
          controller.error(brokenOff);
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/**
 * A file of the starter pack. Its size is known, so nothing is fetched before the body is read:
 * transformers.js asks for each file once for its size and once for its content.
 */
function starterResponse(url: URL, bytes: number, init: RequestInit | undefined): Response {
  const body = bodyFrom(url, async () => {
    const response = await request(url, init);
    if (!response.ok) throw refused(url, response.status);
    return response;
  });
  return new Response(body, { headers: { 'content-length': String(bytes) } });
}

/**
 * Fetches one model file: from the starter pack under `/models/`, or from the hub. A 404 comes
 * back as a response (transformers.js asks for optional files); a starter path that the pack does
 * not have is a 404 without a request. Later sources (resume, mirrors, packs) belong here.
 * @throws {UnisonoError} `model-missing-offline`, `model-download-failed`, also while the body is read
 */
export async function fetchModelFile(input: string | URL, init?: RequestInit): Promise<Response> {
  const url = new URL(input, self.location.href);
  const starterPath = starterPathOf(url);
  if (starterPath !== undefined) {
    const file = starterFile(starterPath);
    return file ? starterResponse(url, file.bytes, init) : new Response(null, { status: 404 });
  }
  const response = await request(url, init);
  if (response.status === 404) return response;
  if (!response.ok) throw refused(url, response.status);
  const { status, headers } = response;
  return new Response(
    bodyFrom(url, () => Promise.resolve(response)),
    { status, headers },
  );
}

/** What loading a model threw, as the error to show: downloads keep their code. */
export function toModelError(thrown: unknown, model: string): UnisonoError {
  if (thrown instanceof UnisonoError) return thrown;
  if (thrown instanceof TypeError && brokenOff) {
    const error = brokenOff;
    brokenOff = undefined;
    return error;
  }
  // transformers.js: a required file is missing here and on the hub.
  if (thrown instanceof Error && thrown.name === 'ModelFileNotFoundError') {
    return new UnisonoError(
      'model-download-failed',
      `The model ${model} is incomplete where it was looked for. Update the app${orElse(model)}`,
      { cause: thrown, detail: { model } },
    );
  }
  return new UnisonoError('model-failed', `The model ${model} could not be loaded on this device.`, {
    cause: thrown,
    detail: { model },
  });
}
