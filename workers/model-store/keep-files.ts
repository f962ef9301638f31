import type { RungId } from '@core/protocol/engine.ts';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import { filesOf, pathOf, VAD_MODELS, type EngineModel } from './catalog.ts';
import { fetchModelFile, toModelError } from './model-fetch.ts';
import { hubUrl } from './sources.ts';
import { isStarterFile, STARTER_URL } from './starter.ts';
import { WeightsCache } from './weights-cache.ts';

/** Where transformers.js asks for a model's file. @param path `org/repo/file` */
export const urlOf = ({ repo, revision }: EngineModel, path: string): string =>
  isStarterFile(path)
    ? STARTER_URL + path
    : `${hubUrl()}${repo}/resolve/${revision}${path.slice(repo.length)}`;

export interface KeepOptions {
  /** Bytes of a file that is fetched. */
  readonly onProgress: (file: string, loadedBytes: number, totalBytes: number) => void;
  /** The file arrived and could not be kept: whoever loads the model fetches it again. */
  readonly onNotStored: (error: UnisonoError) => void;
}

/**
 * Fetches what is not on this device yet of the files that a model reads on a rung. Loading it needs no network then: nothing that
 * has to wait for the load waits for a download. A file that nobody has is left out.
 *
 * @throws UnisonoError `model-missing-offline`, `model-download-failed`
 */
export async function keepFiles(model: EngineModel, rung: RungId, options: KeepOptions): Promise<void> {
  for (const path of filesOf(model, rung)) await keepFile(urlOf(model, path), path, model.id, options);
}

/** What every recording needs beside a recognizer, for the first one that is made without a network. Never rejects. */
export async function keepVoiceDetectors(): Promise<void> {
  const quietly = { onProgress: () => undefined, onNotStored: () => undefined };
  for (const model of Object.values(VAD_MODELS)) {
    const path = pathOf(model, model.file);
    await keepFile(STARTER_URL + path, path, model.id, quietly).catch(() => undefined);
  }
}

async function keepFile(url: string, file: string, model: string, options: KeepOptions): Promise<void> {
  const cache = new WeightsCache();
  if (await cache.match(url).catch(() => undefined)) return;
  const response = await fetchModelFile(url);
  if (!response.ok) return;
  const blob = await counted(response, file, options)
    .blob()
    .catch((thrown: unknown) => {
      throw toModelError(thrown, model);
    });
  await cache
    .put(url, new Response(blob, { headers: response.headers }))
    .catch((thrown: unknown) => options.onNotStored(toUnisonoError(thrown, 'storage-failed')));
}

function counted(response: Response, file: string, { onProgress }: KeepOptions): Response {
  const totalBytes = Number(response.headers.get('content-length') ?? 0);
  let loadedBytes = 0;
  const body = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        loadedBytes += chunk.length;
        onProgress(file, loadedBytes, Math.max(totalBytes, loadedBytes));
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(body ?? null, { headers: response.headers });
}
