/// <reference lib="webworker" />
import type { EngineWorkerEvent, EngineWorkerMessage } from '@core/protocol/engine-worker.ts';
import { CHANNELS, LOCKS, PROTOCOL, type ControlMessage, type Envelope } from '@core/protocol/tabs.ts';
import { openBroadcast } from '@core/tabs/broadcast-transport.ts';
import { Candidate } from '@core/tabs/election.ts';
import { wallClock } from '@core/util/clock.ts';
import { joinEpoch, takeEpoch } from './epoch.ts';
import { HealthLog } from './health.ts';
import { LocalPorts } from './local-ports.ts';

declare const self: DedicatedWorkerGlobalScope;

type Init = Extract<EngineWorkerMessage, { type: 'init' }>;

/** Where every tab has an engine of its own there is nobody to wait for. */
const grantAtOnce = {
  request: (name: string, _options: LockOptions, granted: LockGrantedCallback<unknown>) =>
    granted({ name, mode: 'exclusive' }),
} as unknown as LockManager;

/**
 * Entry of the engine worker, one per tab. Waits for the engine's lock and imports the engine only when it has it: a
 * tab that waits stays small.
 */
let candidate: Candidate | null = null;
const ports = new LocalPorts();
const tell = (event: EngineWorkerEvent): void => self.postMessage(event);

self.addEventListener('message', ({ data }: MessageEvent<EngineWorkerMessage>) => {
  switch (data.type) {
    case 'init':
      candidate ??= stand(data);
      break;
    case 'client':
      ports.add(data.address, data.port);
      break;
    case 'page':
      candidate?.page(data.state);
      break;
    case 'leave':
      candidate?.leave();
      break;
  }
});

function stand({ tab, build, singleTab }: Init): Candidate {
  const open = singleTab ? null : openBroadcast;
  const locks = singleTab ? null : navigator.locks;
  const control = open?.(CHANNELS.control);
  void locks?.request(LOCKS.engineWorker(tab), () => {
    tell({ type: 'started' });
    return new Promise(() => undefined);
  });

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
      const { boot } = await import('./boot.ts');
      return boot({ ownership, ports, open, locks, announce, lines: () => log.entries() });
    },
    log: (level, code, message) => log.add(level, 'engine', code, message),
    onOwnership: (owns) => tell({ type: 'ownership', owns }),
  });
}
