/// <reference lib="webworker" />
import type { Envelope } from '@core/protocol/tabs.ts';
import { BroadcastTransport } from '@core/tabs/broadcast-transport.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';

declare const self: DedicatedWorkerGlobalScope;

export type FarRequest =
  | { readonly type: 'open'; readonly way: string | MessagePort; readonly opened: Envelope }
  | { readonly type: 'post'; readonly envelope: Envelope }
  | { readonly type: 'raw'; readonly data: unknown };

/** The other end of a transport under test, in a thread of its own: passes on to the test what arrives. */
function open(way: string | MessagePort, opened: Envelope) {
  const transport = typeof way === 'string' ? new BroadcastTransport(way) : new PortTransport(way);
  const raw = typeof way === 'string' ? new BroadcastChannel(way) : way;
  transport.listen((envelope) => self.postMessage(envelope));
  transport.post(opened);
  return { transport, raw };
}

let far: ReturnType<typeof open> | null = null;

self.onmessage = ({ data }: MessageEvent<FarRequest>) => {
  if (data.type === 'open') far = open(data.way, data.opened);
  else if (data.type === 'post') far?.transport.post(data.envelope);
  else far?.raw.postMessage(data.data);
};
