import type { HealthEntry } from '@core/protocol/engine.ts';
import type { ControlMessage } from '@core/protocol/tabs.ts';
import type { Ownership } from '@core/tabs/election.ts';
import type { RunningEngine } from '@core/tabs/tenure.ts';
import type { OpenTransport } from '@core/tabs/transport.ts';
import { wallClock } from '@core/util/clock.ts';
import { openDatabase } from '@src/storage/database.ts';
import { MODELS, filesOf, isInStarterPack } from '@workers/model-store/catalog.ts';
import { installedTranslators } from '@workers/model-store/installed.ts';
import { keepVoiceDetectors } from '@workers/model-store/keep-files.ts';
import { Clients, runningEngine } from './clients.ts';
import { deviceFacts } from './device.ts';
import { createEngine } from './engine.ts';
import { DatabaseStore } from './engine-store.ts';
import { spawnInference } from './inference-host.ts';
import type { LocalPorts } from './local-ports.ts';
import { idbSelfTestMemory } from './self-test-memory.ts';

export interface BootParts {
  readonly ownership: Ownership;
  readonly ports: LocalPorts;
  readonly open: OpenTransport | null;
  readonly locks: LockManager | null;
  readonly announce: (message: ControlMessage) => void;
  readonly lines: () => readonly HealthEntry[];
}

/** Models of which any part comes with the app run on that part; the hub has every variant of the others. */
const starterModels = Object.values(MODELS).filter((model) => isInStarterPack(model, 'wasm'));

/** The engine and who is served by it. Imported only by the worker that owns the engine: this is where its weight is. */
export async function boot({ ownership, ...parts }: BootParts): Promise<RunningEngine> {
  const { owner } = ownership;
  const engine = createEngine({
    tab: owner.tab,
    build: owner.build,
    epoch: owner.epoch,
    store: new DatabaseStore(openDatabase, owner.epoch),
    clock: wallClock,
    spawn: spawnInference,
    memory: idbSelfTestMemory(),
    weights: (id, rung) => {
      const model = MODELS[id];
      const files = filesOf(model, rung);
      const canBeHad = files.length > 0 && (isInStarterPack(model, rung) || !starterModels.includes(model));
      return canBeHad ? files.join() : null;
    },
    installed: installedTranslators,
    device: deviceFacts,
    fingerprint: (facts) =>
      [navigator.userAgent, __APP_VERSION__, __ORT_URL__, JSON.stringify(facts)].join('\n'),
    publish: (event) => clients.publish(event),
    onReady: () => void keepVoiceDetectors(),
    onFenced: () => ownership.fenced(),
  });
  const clients = new Clients({ ...parts, engine, owner: { ...owner, phase: 'ready' } });
  return runningEngine(engine, clients);
}
