import { measureMemory } from '@src/page/memory.ts';

/** Memory of this page with its workers, bytes. @throws Error where the browser does not tell. */
export async function memoryBytes(): Promise<number> {
  const bytes = await measureMemory();
  if (bytes === null) throw new Error('this browser does not measure the memory of a page');
  return bytes;
}
