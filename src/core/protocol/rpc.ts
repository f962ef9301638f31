import { createBirpc, type BirpcReturn } from 'birpc';
import type { Transport } from '../tabs/transport.ts';
import { fromWire, isWireError, toWire } from './errors.ts';
import type { Epoch, TabId } from './ids.ts';
import { PROTOCOL, type Address } from './tabs.ts';

type Listener = (event: { readonly data: unknown }) => void;

/** What both ends of a call have in common: a Worker, its global scope, a MessagePort, a {@link Line}. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: Listener): void;
  removeEventListener(type: 'message', listener: Listener): void;
  start?(): void;
}

/** One end of the talk between one engine and one thread of a tab. */
export interface Line {
  /** The tab of this end. */
  readonly tab: TabId;
  readonly from: Address;
  readonly to: Address;
  /** Of the engine that is one of the two. */
  readonly epoch: Epoch;
}

/**
 * A line over a transport that others use too. Hears only what is for this end, from the other end, and of this epoch: what
 * was said to or by another engine is void.
 */
export function endpointOn(transport: Transport, { tab, from, to, epoch }: Line): Endpoint {
  const ends = new Map<Listener, () => void>();
  return {
    postMessage: (body, transfer) => transport.post({ v: PROTOCOL, epoch, tab, from, to, body }, transfer),
    addEventListener: (_type, listener) => {
      const end = transport.listen((envelope) => {
        if (envelope.to === from && envelope.from === to && envelope.epoch === epoch)
          listener({ data: envelope.body });
      });
      ends.set(listener, end);
    },
    removeEventListener: (_type, listener) => ends.get(listener)?.(),
  };
}

type Functions = object;

const RPC_KEY = 'rpc';

/** MessagePorts and OffscreenCanvases cannot be copied: they are moved wherever they appear. */
function portsIn(value: unknown, depth = 3): Transferable[] {
  if (value instanceof MessagePort) return [value];
  if (depth === 0 || typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap((inner) => portsIn(inner, depth - 1));
}

/**
 * Typed calls both ways over one endpoint. Errors arrive as {@link UnisonoError}s with their code;
 * MessagePorts among the arguments are transferred, everything else is copied.
 */
export function createRpc<Remote extends Functions, Local extends Functions>(
  endpoint: Endpoint,
  local: Local,
): BirpcReturn<Remote, Local> {
  let listener: Listener | undefined;
  const rpc = createBirpc<Remote, Local>(local, {
    post: (data: unknown) => endpoint.postMessage({ [RPC_KEY]: data }, portsIn(data, 5)),
    on: (receive) => {
      listener = (event) => {
        const message = event.data;
        if (typeof message === 'object' && message !== null && RPC_KEY in message) receive(message[RPC_KEY]);
      };
      endpoint.addEventListener('message', listener);
      endpoint.start?.();
    },
    off: () => {
      if (listener) endpoint.removeEventListener('message', listener);
    },
    serialize: (data: { e?: unknown }) => (data.e === undefined ? data : { ...data, e: toWire(data.e) }),
    deserialize: (data: { e?: unknown }) => (isWireError(data.e) ? { ...data, e: fromWire(data.e) } : data),
    // Loading a model takes as long as it takes; a lost peer ends its calls through $close.
    timeout: -1,
  });
  return rpc;
}
