/**
 * Memory of this page with its workers, WebAssembly included, bytes; null where the browser does not tell (it does on cross-origin
 * isolated pages only). Takes up to a minute: the browser waits for a collection of garbage.
 */
export async function measureMemory(): Promise<number | null> {
  const measure = (performance as { measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }> })
    .measureUserAgentSpecificMemory;
  return (await measure?.call(performance).catch(() => null))?.bytes ?? null;
}
