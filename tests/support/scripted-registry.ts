import type { ModelStatus } from '@core/protocol/engine.ts';
import { HealthLog } from '@workers/engine/health.ts';
import { ModelRegistry } from '@workers/engine/model-registry.ts';
import { RuntimePool } from '@workers/engine/runtime.ts';
import type { ScriptedInference } from './scripted-inference.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A registry whose models are all on the device, on two rungs, and remembered by nobody; `warnings` are its codes. */
export function scriptedRegistry(inference: ScriptedInference, publish: (status: ModelStatus) => void) {
  const warnings: string[] = [];
  const pool = new RuntimePool(inference.spawn, {
    progress: () => undefined,
    notStored: () => undefined,
    lost: (runtime, error) => registry.runtimeLost(runtime, error),
  });
  const registry: ModelRegistry = new ModelRegistry({
    pool,
    clock: new VirtualClock(),
    inUse: () => true,
    memory: { read: async () => undefined, write: async () => undefined, forget: async () => undefined },
    health: new HealthLog(
      () => 0,
      ({ level, code }) => level !== 'info' && warnings.push(code),
    ),
    availableRungs: () => ['wasm-threads', 'wasm'],
    weights: () => 'q8',
    device: async () => ({ webgpu: null, crossOriginIsolated: true, cores: 2, memoryGiB: 8 }),
    fingerprint: () => '',
    publish,
  });
  return { registry, pool, warnings };
}
