/** The browser asks before the page is left while `isRecording` says so. */
export function askBeforeLeaving(isRecording: () => boolean): void {
  addEventListener('beforeunload', (event) => {
    if (isRecording()) event.preventDefault();
  });
}

/** Runs when the page has drawn and has nothing better to do, within `timeoutMs` at the latest. */
export function whenIdle(task: () => void, timeoutMs = 2_000): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(task, { timeout: timeoutMs });
  else setTimeout(task, 0);
}

/** Asks the browser not to clear this site's storage when the disk runs low. It may decline. */
export async function keepStorage(): Promise<void> {
  if ('storage' in navigator) await navigator.storage.persist().catch(() => false);
}
