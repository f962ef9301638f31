import type { SessionId } from '@core/protocol/ids.ts';
import type { AudioFolder } from '@src/storage/files.ts';

async function list(folder: AudioFolder, sessionId: SessionId): Promise<File[] | null> {
  const files: File[] = [];
  try {
    const root = await navigator.storage.getDirectory();
    const session = await (await root.getDirectoryHandle(folder)).getDirectoryHandle(sessionId);
    for await (const handle of session.values())
      if (handle instanceof FileSystemFileHandle) files.push(await handle.getFile());
  } catch {
    return null;
  }
  return files;
}

/** What OPFS holds in `journal/` or `audio/` of a session. */
export const filesOf = async (folder: AudioFolder, sessionId: SessionId): Promise<File[]> =>
  (await list(folder, sessionId)) ?? [];

/** Bytes of those files by name; null where the session has no folder there. */
export async function kept(
  folder: AudioFolder,
  sessionId: SessionId,
): Promise<Record<string, number> | null> {
  const files = await list(folder, sessionId);
  return files && Object.fromEntries(files.map(({ name, size }) => [name, size]));
}
