/// <reference lib="webworker" />
import { createRpc } from '@core/protocol/rpc.ts';
import { holdLock } from '@core/util/locks.ts';
import { Inference } from './inference.ts';
import type { InferenceApi, InferenceEvents } from './inference-protocol.ts';

declare const self: DedicatedWorkerGlobalScope;

/** Entry of the worker that runs the models: one per device configuration, started by the engine worker. */
const inference = new Inference({
  progress: (...parameters) => void engine.progress.asEvent(...parameters),
  gpuLost: (reason) => void engine.gpuLost.asEvent(reason),
  notStored: (error) => void engine.notStored.asEvent(error),
});

const engine = createRpc<InferenceEvents, InferenceApi>(self, {
  configure: async ({ lifeLock, ...options }) => {
    if (lifeLock) await holdLock(navigator.locks, lifeLock);
    await inference.configure(options);
  },
  load: (model, rung) => inference.load(model, rung),
  recognize: (callId, model, audio, options) => inference.recognize(callId, model, audio, options),
  translate: (callId, model, text, options) => inference.translate(callId, model, text, options),
  segment: (callId, model, samples) => inference.segment(callId, model, samples),
  embed: (callId, model, samples) => inference.embed(callId, model, samples),
  cancel: (callId) => inference.cancel(callId),
  selfTest: (model) => inference.selfTest(model),
  unload: (model) => inference.unload(model),
  release: () => inference.release(),
  ...(__TEST_HOOKS__
    ? { injectFault: (fault) => inference.injectFault(fault), counters: () => inference.counters() }
    : {}),
} satisfies InferenceApi);
