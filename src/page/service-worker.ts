const RELOADED_KEY = 'unisono-reloaded-for-isolation';

/**
 * Registers the service worker and settles when the page may start loading models: on a first visit
 * that is once the worker controls the page, so that everything fetched from then on is there offline.
 * A host that sends no COOP/COEP headers costs one reload, after which the worker adds them.
 * Never rejects: without a service worker the app works, but needs the network to open.
 */
export async function serviceWorkerReady(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' });
    if (!navigator.serviceWorker.controller) await firstControl(registration);
  } catch (error) {
    console.warn('No offline use: the service worker could not be installed.', error);
    return;
  }
  if (!crossOriginIsolated && navigator.serviceWorker.controller && !sessionStorage.getItem(RELOADED_KEY)) {
    sessionStorage.setItem(RELOADED_KEY, '1');
    location.reload();
    await new Promise(() => {}); // the page is going away
  }
}

/** Settles at control, at a failed installation, or at once when a forced reload bypasses the worker. */
function firstControl(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.installing ?? registration.waiting;
  if (!worker) return Promise.resolve();
  return new Promise((resolve) => {
    navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
    worker.addEventListener('statechange', () => {
      if (worker.state === 'redundant') resolve();
    });
  });
}

/** Calls back with the bytes of request bodies sent so far by any tab, as the service worker counted them; never without BroadcastChannel. */
export function watchBytesSent(listener: (bytesSent: number) => void): void {
  if (!('BroadcastChannel' in globalThis)) return;
  const channel = new BroadcastChannel('traffic');
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (typeof data === 'object' && data !== null && 'bytesSent' in data) listener(Number(data.bytesSent));
  });
  channel.postMessage('how-much');
}
