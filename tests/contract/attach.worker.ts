/// <reference lib="webworker" />
import type { EngineApi } from '@core/protocol/engine.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import { CHANNELS, PROTOCOL, type ControlMessage, type Owner } from '@core/protocol/tabs.ts';
import { BroadcastTransport } from '@core/tabs/broadcast-transport.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { Clients } from '@workers/engine/clients.ts';

declare const self: DedicatedWorkerGlobalScope;

export type AttachRequest =
  { readonly type: 'serve'; readonly owner: Owner } | { readonly type: 'attach'; readonly tab: TabId };

const open = (channel: string): BroadcastTransport => new BroadcastTransport(channel);

/** An engine in another tab: the real hub, and an engine that knows no model. */
function serve(owner: Owner): void {
  const control = open(CHANNELS.control);
  const announce = (body: ControlMessage): void =>
    control.post({ v: PROTOCOL, epoch: owner.epoch, tab: owner.tab, from: 'engine', to: '*', body });
  const api: Partial<EngineApi> = { models: async () => [] };
  new Clients({
    engine: { apiFor: () => api as EngineApi, clientGone: () => undefined },
    owner,
    ports: { listener: null, has: () => false },
    open,
    locks: null,
    announce,
    lines: () => [],
  });
  control.listen(({ body }) => {
    if ((body as ControlMessage).type === 'who') announce({ type: 'owner', owner });
  });
  announce({ type: 'owner', owner });
}

/** A capture worker of a tab that has just opened. No timer ever fires: what is lost is not said again. */
async function attach(tab: TabId): Promise<Epoch | undefined> {
  const nobody = {
    moves: false,
    post: () => undefined,
    listen: () => () => undefined,
    close: () => undefined,
  };
  const connection = new EngineConnection({
    tab,
    address: `capture/${tab as string as SessionId}`,
    port: nobody,
    open,
    events: { event: () => undefined, acknowledged: () => undefined },
    clock: { now: () => 0, after: () => () => undefined },
    onOwner: () => undefined,
  });
  await connection.call('models', []);
  const epoch = connection.owner?.epoch;
  connection.close();
  return epoch;
}

self.onmessage = ({ data }: MessageEvent<AttachRequest>) => {
  if (data.type === 'attach') void attach(data.tab).then((epoch) => self.postMessage(epoch));
  else {
    serve(data.owner);
    self.postMessage('serving');
  }
};
