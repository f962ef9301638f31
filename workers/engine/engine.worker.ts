/// <reference lib="webworker" />
import type { EngineWorkerMessage } from '@core/protocol/engine-worker.ts';
import type { Candidate } from '@core/tabs/election.ts';
import { stand } from './candidacy.ts';
import { LocalPorts } from './local-ports.ts';

declare const self: DedicatedWorkerGlobalScope;

/**
 * Entry of the engine worker, one per tab. Waits for the engine's lock and imports the engine only when it has it: a
 * tab that waits stays small.
 */
let candidate: Candidate | null = null;
const ports = new LocalPorts();

self.addEventListener('message', ({ data }: MessageEvent<EngineWorkerMessage>) => {
  switch (data.type) {
    case 'init':
      candidate ??= stand(data, ports, (event) => self.postMessage(event));
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
