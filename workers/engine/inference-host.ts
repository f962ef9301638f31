import { UnisonoError } from '@core/protocol/errors.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import type { InferenceApi, InferenceEvents } from './inference-protocol.ts';
import type { InferenceHost, SpawnInference } from './runtime.ts';

/**
 * Starts an inference worker. Workers die without a word; a Web Lock that the worker holds for its
 * life is free at that moment, which is how its death is noticed; a browser without Web Locks shows it by the next call's
 * deadline only.
 */
export const spawnInference: SpawnInference = (events) => {
  const worker = new Worker(new URL('./inference.worker.ts', import.meta.url), { type: 'module' });
  const lifeLock = `inference/${crypto.randomUUID()}`;
  const watch = new AbortController();
  const rpc = createRpc<InferenceApi, InferenceEvents>(worker, {
    progress: (...progress) => events.progress(...progress),
    gpuLost: (reason) => events.gpuLost(reason),
    notStored: (error) => events.notStored(error),
  });
  worker.addEventListener('error', ({ message }) =>
    events.lost(new UnisonoError('engine-lost', `The inference worker failed: ${message}`)),
  );
  const api: InferenceApi = {
    configure: async (options) => {
      const locks = navigator.locks as LockManager | undefined;
      if (!locks) return rpc.configure(options);
      await rpc.configure({ ...options, lifeLock });
      void locks
        .request(lifeLock, { signal: watch.signal }, () =>
          events.lost(new UnisonoError('engine-lost', 'The inference worker is gone.')),
        )
        .catch(() => undefined);
    },
    load: (...call) => rpc.load(...call),
    recognize: (...call) => rpc.recognize(...call),
    translate: (...call) => rpc.translate(...call),
    segment: (...call) => rpc.segment(...call),
    embed: (...call) => rpc.embed(...call),
    cancel: (callId) => rpc.cancel(callId),
    selfTest: (model) => rpc.selfTest(model),
    unload: (model) => rpc.unload(model),
    release: () => rpc.release(),
    injectFault: (fault) => rpc.$call('injectFault', fault),
  };
  return {
    api,
    close: (error) => {
      watch.abort();
      rpc.$close(error);
      worker.terminate();
    },
    crash: () => worker.terminate(),
  } satisfies InferenceHost;
};
