import pins from './starter-files.json';

/** Where the starter pack is served, on the app's own origin. */
export const STARTER_URL = '/models/';

interface StarterFile {
  readonly bytes: number;
  readonly sha256: string;
}

const FILES: ReadonlyMap<string, StarterFile> = new Map(
  pins.files.map(({ path, bytes, sha256 }) => [path, { bytes, sha256 }]),
);

/** @param path `org/repo/file` */
export const starterFile = (path: string): StarterFile | undefined => FILES.get(path);

export const isStarterFile = (path: string): boolean => FILES.has(path);

/** `org/repo/file` of a URL inside the starter pack's folder; undefined for any other URL. */
export function starterPathOf(url: URL): string | undefined {
  if (url.origin !== self.location.origin || !url.pathname.startsWith(STARTER_URL)) return undefined;
  return decodeURIComponent(url.pathname.slice(STARTER_URL.length));
}
