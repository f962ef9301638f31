import { createStore, del, get, keys, set } from 'idb-keyval';
import { isDiskFull, UnisonoError } from '@core/protocol/errors.ts';
import { starterFile, starterPathOf } from './starter.ts';

/** One file as it is kept. A Blob, so that the browser holds it on disk until it is read. */
interface CachedFile {
  readonly blob: Blob;
  readonly headers: [string, string][];
  /** SHA-256 that the app expected when it stored a starter file; null for a file of the hub. */
  readonly sha256: string | null;
}

const DATABASE = 'unisono-weights';

/** Headers that describe a transfer that is over. */
const TRANSFER_HEADERS = new Set(['content-encoding', 'transfer-encoding', 'content-range', 'connection']);

function locate(request: string): { key: string; sha256: string | null } {
  const url = new URL(request, self.location.href);
  const path = starterPathOf(url);
  if (path !== undefined) return { key: path, sha256: starterFile(path)?.sha256 ?? null };
  return { key: url.origin + url.pathname, sha256: null };
}

function asUnisonoError(thrown: unknown, key: string): UnisonoError {
  if (thrown instanceof UnisonoError) return thrown;
  if (isDiskFull(thrown)) {
    return new UnisonoError(
      'storage-full',
      'There is no room to keep the model on this device. It works now but will be downloaded again next time. ' +
        'Free some disk space, or delete models you do not use.',
      { cause: thrown, detail: { file: key } },
    );
  }
  return new UnisonoError('storage-failed', `The browser could not store ${key}.`, {
    cause: thrown,
    detail: { file: key },
  });
}

/**
 * Model files in IndexedDB, behind the part of the Cache interface that transformers.js uses
 * (`env.customCache`). A file of the starter pack has one entry however its URL is written, and
 * an entry made by an older version of the app with other content counts as absent. Safe to use
 * from several workers at once: the same file stored twice is the same file.
 */
export class WeightsCache {
  readonly #store = createStore(DATABASE, 'files');

  /** The stored file as a response with `content-length`, or undefined. */
  async match(request: string): Promise<Response | undefined> {
    const { key, sha256 } = locate(request);
    const file = await get<CachedFile>(key, this.#store);
    if (file?.sha256 !== sha256) return undefined;
    try {
      // A browser can keep the record and lose the blob's file; reading it then fails for good.
      await file.blob.slice(0, 1).arrayBuffer();
    } catch {
      await del(key, this.#store);
      return undefined;
    }
    return new Response(file.blob, { headers: file.headers });
  }

  /**
   * Stores the response once it has arrived completely; a body that breaks off leaves nothing.
   * @throws {UnisonoError} `storage-full`, `storage-failed`, or `model-download-failed` when the
   *   body is shorter or longer than it said
   */
  async put(request: string, response: Response): Promise<void> {
    const { key, sha256 } = locate(request);
    try {
      const blob = await response.blob();
      const promised = response.headers.has('content-encoding')
        ? null
        : response.headers.get('content-length');
      if (promised !== null && Number(promised) !== blob.size) {
        throw new UnisonoError(
          'model-download-failed',
          `${key} arrived incomplete (${blob.size} of ${promised} bytes). Try again.`,
          { detail: { file: key } },
        );
      }
      const kept = [...response.headers].filter(([name]) => !TRANSFER_HEADERS.has(name));
      const headers = new Headers(kept);
      headers.set('content-length', String(blob.size));
      await set(key, { blob, headers: [...headers], sha256 } satisfies CachedFile, this.#store);
    } catch (thrown) {
      throw asUnisonoError(thrown, key);
    }
  }

  /** Tells of a file whether it is stored at this moment; its content is not looked at. */
  async inventory(): Promise<(request: string) => boolean> {
    const stored = new Set(await keys<string>(this.#store));
    return (request) => stored.has(locate(request).key);
  }

  async delete(request: string): Promise<boolean> {
    const { key } = locate(request);
    const existed = (await get<CachedFile>(key, this.#store)) !== undefined;
    await del(key, this.#store);
    return existed;
  }
}
