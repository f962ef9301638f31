import { expect, test } from 'vitest';
import type { TabId } from '@core/protocol/ids.ts';
import { PROTOCOL, type Envelope } from '@core/protocol/tabs.ts';
import { BroadcastTransport } from '@core/tabs/broadcast-transport.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import type { Transport } from '@core/tabs/transport.ts';
import type { FarRequest } from './far.worker.ts';
import { inbox, transportContract, type Ends, type Far } from './transport-contract.ts';

const WHO: Envelope = {
  v: PROTOCOL,
  epoch: 0,
  tab: 'tab' as TabId,
  from: 'page',
  to: '*',
  body: { type: 'who' },
};

const channelName = (): string => `contract/${crypto.randomUUID()}`;

transportContract('BroadcastChannel', false, () => {
  const name = channelName();
  const far = new BroadcastTransport(name);
  const intruder = new BroadcastChannel(name);
  return {
    near: new BroadcastTransport(name),
    far: {
      post: (envelope) => far.post(envelope),
      postRaw: (data) => intruder.postMessage(data),
      next: inbox(far).next,
      close: () => {
        far.close();
        intruder.close();
      },
    },
  };
});

transportContract('MessagePort', true, () => {
  const { port1, port2 } = new MessageChannel();
  const far = new PortTransport(port2);
  return {
    near: new PortTransport(port1),
    far: {
      post: (envelope) => far.post(envelope),
      postRaw: (data) => port2.postMessage(data),
      next: inbox(far).next,
      close: () => far.close(),
    },
  };
});

/**
 * Opens the far end in a worker. A channel that was just opened in one thread may miss what another posts at once; that it is
 * there is certain only when it has been heard on the channel itself.
 */
async function inWorker(near: Transport, way: string | MessagePort): Promise<Ends> {
  const worker = new Worker(new URL('./far.worker.ts', import.meta.url), { type: 'module' });
  const ask = (request: FarRequest, transfer: Transferable[] = []): void =>
    worker.postMessage(request, transfer);
  await new Promise<void>((resolve) => {
    const end = near.listen(() => {
      end();
      resolve();
    });
    ask({ type: 'open', way, opened: WHO }, typeof way === 'string' ? [] : [way]);
  });
  const passOn = new MessageChannel();
  const passedOn = new PortTransport(passOn.port1);
  const { next } = inbox(passedOn);
  worker.onmessage = ({ data }) => passOn.port2.postMessage(data);
  const far: Far = {
    post: (envelope) => ask({ type: 'post', envelope }),
    postRaw: (data) => ask({ type: 'raw', data }),
    next,
    close: () => {
      worker.terminate();
      passedOn.close();
    },
  };
  return { near, far };
}

transportContract('BroadcastChannel to a worker', false, async () => {
  const name = channelName();
  return inWorker(new BroadcastTransport(name), name);
});

transportContract('MessagePort to a worker', true, async () => {
  const { port1, port2 } = new MessageChannel();
  return inWorker(new PortTransport(port1), port2);
});

test('a port keeps what is sent before the other end listens: an engine that is still loading misses nothing', async () => {
  const { port1, port2 } = new MessageChannel();
  const [early, late] = [new PortTransport(port1), new PortTransport(port2)];
  early.post(WHO);
  await new Promise((resolve) => {
    const { port1: first, port2: second } = new MessageChannel();
    second.onmessage = resolve;
    first.postMessage('a message later');
  });
  await expect(inbox(late).next()).resolves.toEqual(WHO);
  early.close();
});
