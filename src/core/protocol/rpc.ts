import { createBirpc, type BirpcReturn } from 'birpc';
import { fromWire, isWireError, toWire } from './errors.ts';

/** What both ends of a call have in common: a Worker, its global scope, a MessagePort. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  start?(): void;
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
  let listener: ((event: MessageEvent) => void) | undefined;
  const rpc = createBirpc<Remote, Local>(local, {
    post: (data: unknown) => endpoint.postMessage({ [RPC_KEY]: data }, portsIn(data, 5)),
    on: (receive) => {
      listener = (event) => {
        const message: unknown = event.data;
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
