import { UnisonoError } from '@core/protocol/errors.ts';
import { isStarterFile, starterPathOf } from './starter.ts';

const ALTERNATIVE = 'or choose Whisper tiny or Moonshine tiny, which come with the app.';

/** The model a URL belongs to, for a person to read: `org/repo`. */
const modelName = (url: URL): string =>
  (starterPathOf(url) ?? url.pathname.slice(1)).split('/').slice(0, 2).join('/');

function unreachable(url: URL, cause: unknown): UnisonoError {
  const options = { cause, detail: { model: modelName(url), host: url.host } };
  return navigator.onLine
    ? new UnisonoError(
        'model-download-failed',
        `The model ${modelName(url)} could not be downloaded from ${url.host}: the connection failed. ` +
          `Check the connection and try again, ${ALTERNATIVE}`,
        options,
      )
    : new UnisonoError(
        'model-missing-offline',
        `The model ${modelName(url)} is not on this device yet, and there is no connection. ` +
          `Connect once to download it, ${ALTERNATIVE}`,
        options,
      );
}

function refused(url: URL, status: number): UnisonoError {
  const reason =
    status === 401 || status === 403
      ? 'it does not exist or is not open to everyone'
      : status === 429
        ? 'too many downloads at the moment; wait a few minutes'
        : `the server answered ${status}`;
  return new UnisonoError(
    'model-download-failed',
    `The model ${modelName(url)} could not be downloaded from ${url.host}: ${reason}. Try again later, ${ALTERNATIVE}`,
    { detail: { model: modelName(url), host: url.host, status: String(status) } },
  );
}

/** The same response, whose body fails with a {@link UnisonoError} when the connection breaks off. */
function withNamedFailure(response: Response, url: URL): Response {
  if (!response.body) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        const aborted = cause instanceof DOMException && cause.name === 'AbortError';
        controller.error(aborted ? cause : unreachable(url, cause));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

/**
 * Fetches one model file: from the starter pack under `/models/`, or from the hub. A 404 comes
 * back as a response (transformers.js asks for optional files); a starter path that the pack does
 * not have is a 404 without a request. Later sources (resume, mirrors, packs) belong here.
 * @throws {UnisonoError} `model-missing-offline`, `model-download-failed`
 */
export async function fetchModelFile(input: string | URL, init?: RequestInit): Promise<Response> {
  const url = new URL(input, self.location.href);
  const starterPath = starterPathOf(url);
  if (starterPath !== undefined && !isStarterFile(starterPath)) return new Response(null, { status: 404 });
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw unreachable(url, cause);
  }
  if (response.ok) return withNamedFailure(response, url);
  if (response.status === 404) return response;
  throw refused(url, response.status);
}

/** What loading a model threw, as the error to show: downloads keep their code. */
export function toModelError(thrown: unknown, model: string): UnisonoError {
  if (thrown instanceof UnisonoError) return thrown;
  // transformers.js: a required file is missing here and on the hub.
  if (thrown instanceof Error && thrown.name === 'ModelFileNotFoundError') {
    return new UnisonoError(
      'model-download-failed',
      `The model ${model} is incomplete where it was looked for. Update the app, ${ALTERNATIVE}`,
      { cause: thrown, detail: { model } },
    );
  }
  return new UnisonoError('model-failed', `The model ${model} could not be loaded on this device.`, {
    cause: thrown,
    detail: { model },
  });
}
