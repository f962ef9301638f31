import type { EngineWorkerEvent, EngineWorkerMessage } from '@core/protocol/engine-worker.ts';
import { CHANNELS, LOCKS, PROTOCOL, type ControlMessage, type Envelope } from '@core/protocol/tabs.ts';
import { openBroadcast } from '@core/tabs/broadcast-transport.ts';
import { Candidate } from '@core/tabs/election.ts';
import { wallClock } from '@core/util/clock.ts';
import { holdLock } from '@core/util/locks.ts';
import { joinEpoch, takeEpoch } from './epoch.ts';
import { HealthLog } from './health.ts';
import type { LocalPorts } from './local-ports.ts';

type Init = Extract<EngineWorkerMessage, { type: 'init' }>;
type Tell = (event: EngineWorkerEvent) => void;

/** Where every tab has an engine of its own there is nobody to wait for. */
const grantAtOnce = {
  request: (name: string, _options: LockOptions, granted: LockGrantedCallback<unknown>) =>
    granted({ name, mode: 'exclusive' }),
} as unknown as LockManager;

/** Puts this worker's tab up for owner of the engine. */
export function stand({ tab, build, singleTab }: Init, ports: LocalPorts, tell: Tell): Candidate {
  const open = singleTab ? null : openBroadcast;
  const locks = singleTab ? null : navigator.locks;
  const control = open?.(CHANNELS.control);
  if (locks) void holdLock(locks, LOCKS.engineWorker(tab)).then(() => tell({ type: 'started' }));

  let epoch = 0;
  const wrap = (body: ControlMessage): Envelope => {
    if ('owner' in body) epoch = body.owner.epoch;
    return { v: PROTOCOL, epoch, tab, from: 'engine', to: '*', body };
  };
  const announce = (message: ControlMessage): void => {
    const envelope = wrap(message);
    control?.post(envelope);
    ports.post(envelope);
  };
  const log = new HealthLog(
    () => wallClock.now(),
    (entry) => {
      control?.post(wrap({ type: 'event', event: { type: 'health', entry } }));
      tell({ type: 'log', entry });
    },
  );
  return new Candidate({
    tab,
    build,
    locks: locks ?? grantAtOnce,
    clock: wallClock,
    open,
    announce,
    nextEpoch: singleTab ? joinEpoch : takeEpoch,
    boot: async (ownership) => {
      const { boot } = await importBoot(tell);
      return boot({ ownership, ports, open, locks, announce, lines: () => log.entries() });
    },
    log: (level, code, message) => log.add(level, 'engine', code, message),
    onOwnership: (owns) => tell({ type: 'ownership', owns }),
  });
}

async function importBoot(tell: Tell): Promise<typeof import('./boot.ts')> {
  try {
    return await import('./boot.ts');
  } catch (thrown) {
    // A worker remembers that an import failed and never tries it again. First the other tabs hear of it.
    wallClock.after(0, () => tell({ type: 'failed', reason: String(thrown) }));
    throw thrown;
  }
}
