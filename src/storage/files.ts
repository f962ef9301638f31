import type { SessionId } from '@core/protocol/ids.ts';

/** Folders of the origin private file system (OPFS); each holds a folder for every session. */
export const JOURNALS = 'journal';
export const KEPT_AUDIO = 'audio';
export type AudioFolder = typeof JOURNALS | typeof KEPT_AUDIO;

/** A file or folder that is not there. */
export const isMissing = (thrown: unknown): boolean =>
  thrown instanceof DOMException && thrown.name === 'NotFoundError';

/** The session's folder, made where there is none yet. */
export async function openSessionFolder(
  name: AudioFolder,
  sessionId: SessionId,
): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name, { create: true });
  return folder.getDirectoryHandle(sessionId, { create: true });
}

/** Removes the session's folder with all that is in it, where there is one. */
export async function removeSessionFolder(name: AudioFolder, sessionId: SessionId): Promise<void> {
  if (!('storage' in navigator) || !('getDirectory' in navigator.storage)) return;
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(name);
    await folder.removeEntry(sessionId, { recursive: true });
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
  }
}
