/// <reference lib="webworker" />
import type { EngineApi, EngineEvents } from '@core/protocol/engine.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { RECOGNIZER_MODELS, filesOf, isInStarterPack } from '@workers/model-store/catalog.ts';
import { deviceFacts } from './device.ts';
import { createEngine } from './engine.ts';
import { spawnInference } from './inference-host.ts';
import { idbSelfTestMemory } from './self-test-memory.ts';

declare const self: DedicatedWorkerGlobalScope;

/** Models of which any part comes with the app run on that part; the hub has every variant of the others. */
const starterModels = Object.values(RECOGNIZER_MODELS).filter((model) => isInStarterPack(model, 'wasm'));

const engine = createEngine({
  spawn: spawnInference,
  memory: idbSelfTestMemory(),
  weights: (id, rung) => {
    const model = RECOGNIZER_MODELS[id];
    const files = filesOf(model, rung);
    const canBeHad = files.length > 0 && (isInStarterPack(model, rung) || !starterModels.includes(model));
    return canBeHad ? files.join() : null;
  },
  device: deviceFacts,
  fingerprint: (facts) =>
    [navigator.userAgent, __APP_VERSION__, __ORT_URL__, JSON.stringify(facts)].join('\n'),
  now: () => performance.timeOrigin + performance.now(),
  publish: (event) => void page.event.asEvent(event),
});

/** Entry of the engine worker: started by the page, starts the inference workers. */
const page = createRpc<EngineEvents, EngineApi>(self, engine);
