/** The browser asks before the page is left while `wouldLose` says so. @returns ends it */
export function askBeforeLeaving(wouldLose: () => boolean): () => void {
  const ask = (event: Event) => {
    if (wouldLose()) event.preventDefault();
  };
  addEventListener('beforeunload', ask);
  return () => removeEventListener('beforeunload', ask);
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

const RELOADED_KEY = 'unisono-reloaded-for-protocol';

/** Reloads for the sake of another build, once in the life of this tab. False when that was done before. */
export function reloadOnce(protocol: number, reload: () => void): boolean {
  if (sessionStorage.getItem(RELOADED_KEY) === String(protocol)) return false;
  sessionStorage.setItem(RELOADED_KEY, String(protocol));
  reload();
  return true;
}
