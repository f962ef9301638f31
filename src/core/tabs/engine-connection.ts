import type { SpeechMessage } from '../protocol/audio.ts';
import type { EngineApi, EngineEvents } from '../protocol/engine.ts';
import { UnisonoError, toUnisonoError } from '../protocol/errors.ts';
import type { SessionId, TabId } from '../protocol/ids.ts';
import { createRpc, endpointOn } from '../protocol/rpc.ts';
import {
  CHANNELS,
  PROTOCOL,
  type Address,
  type Attached,
  type ControlMessage,
  type Envelope,
  type Owner,
} from '../protocol/tabs.ts';
import type { Clock } from '../util/clock.ts';
import { deferred } from '../util/deferred.ts';
import type { OpenTransport, Transport } from './transport.ts';

export interface ConnectionParts {
  readonly tab: TabId;
  readonly address: Exclude<Address, 'engine'>;
  /** To the engine worker of this tab, which may own the engine. */
  readonly port: Transport;
  /** Null where the browser has no BroadcastChannel. */
  readonly open: OpenTransport | null;
  readonly events: EngineEvents;
  readonly clock: Clock;
  /** Until then the engine would take this tab for dead: it does not hold its lock yet. Default: now. */
  readonly mayAttach?: Promise<unknown>;
  /** Attached to this owner, or to none. Calls made inside it go before those that have waited. */
  onOwner(owner: Owner | null): void;
  /** The number of {@link EngineConnection.pending} calls has changed. */
  onPending?(pending: number): void;
  onForeignProtocol?(v: number): void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Rejects with `deadline` after this time; without one a call waits for an engine as long as it takes. */
  readonly deadlineMs?: number;
}

/** Methods that answer; speech does not. */
export type EngineMethod = Exclude<keyof EngineApi, 'speech'>;
type Method<Name extends EngineMethod> = NonNullable<EngineApi[Name]>;

/** Sized against an owner that is frozen or just starting: an `attach` it did not hear is said again soon enough. */
const ATTACH_AGAIN_MS = 1000;

type Rpc = ReturnType<typeof createRpc<EngineApi, EngineEvents>>;

interface Call {
  readonly method: EngineMethod;
  readonly args: unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  /** Which engine it was sent to; null while it waits for one. */
  sentOver: Rpc | null;
  /** Ends the deadline and the watch on the signal. */
  release: () => void;
}

/**
 * One thread's way to the engine, wherever that is: follows its owner, attaches to it, and goes on with the next. Used by the page
 * and by each capture worker. Calls wait while there is no engine and are made again when it changes, which they may
 * because all of them are idempotent. There is no timeout on an owner: that it is gone, the next one says.
 */
export class EngineConnection {
  readonly #parts: ConnectionParts;
  readonly #control: Transport | null;
  readonly #tabChannel: Transport | null;
  readonly #calls = new Set<Call>();
  #port: Transport;
  /** The newest owner heard of, attached to or not. */
  #known: Owner | null = null;
  /** Epochs below this are over. */
  #lowestEpoch = 0;
  #rpc: Rpc | null = null;
  #cancelAttach: (() => void) | null = null;
  #closed = false;
  #mayAttach = true;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#port = parts.port;
    if (parts.mayAttach) {
      this.#mayAttach = false;
      void parts.mayAttach.then(() => {
        this.#mayAttach = true;
        this.#attachToKnown();
      });
    }
    // Listen first, then ask: and the answer to the last question comes over the tab's channel, so that is opened first.
    this.#tabChannel = parts.open?.(CHANNELS.tab(parts.tab)) ?? null;
    this.#control = parts.open?.(CHANNELS.control) ?? null;
    this.#listen(this.#control, (envelope) => {
      // Events of this tab's own engine come over the port. Who owns it counts from here too: the port may have ended with a
      // worker before this one.
      const { type } = envelope.body as ControlMessage;
      if (envelope.tab !== parts.tab || type !== 'event') this.#onControl(envelope);
    });
    const tabChannel = this.#tabChannel;
    this.#listen(tabChannel, (envelope) => this.#onAttached(envelope, tabChannel));
    this.#listenOnPort();
    if (this.#control) this.#say(this.#control, 0, '*', { type: 'who' });
  }

  /** Who is attached to; null while there is none. */
  get owner(): Owner | null {
    return this.#rpc && this.#known;
  }

  /** Calls that have not settled. */
  get pending(): number {
    return this.#calls.size;
  }

  /** Waits for an engine, is made again when the engine changes its owner, and always settles. */
  call<Name extends EngineMethod>(
    method: Name,
    args: Parameters<Method<Name>>,
    { signal, deadlineMs }: CallOptions = {},
  ): Promise<Awaited<ReturnType<Method<Name>>>> {
    const { promise, resolve, reject } = deferred<Awaited<ReturnType<Method<Name>>>>();
    const call: Call = {
      method,
      args,
      resolve: resolve as (value: unknown) => void,
      reject,
      sentOver: null,
      release: () => undefined,
    };
    if (this.#closed) reject(closed());
    else if (signal?.aborted) reject(signal.reason);
    else {
      this.#watch(call, signal, deadlineMs);
      this.#calls.add(call);
      this.#parts.onPending?.(this.pending);
      this.#send(call);
    }
    return promise;
  }

  /** @returns false when there is no engine: then the message is not sent */
  speech(sessionId: SessionId, message: SpeechMessage): boolean {
    if (!this.#rpc) return false;
    this.#rpc.$callEvent('speech', sessionId, message).catch(() => undefined);
    return true;
  }

  /** The engine worker of this tab was started again: this is the way to the new one. */
  usePort(port: Transport): void {
    this.#port.close();
    this.#port = port;
    if (this.#known?.tab === this.#parts.tab) {
      // Whether the old worker or already the new one: that one says so again.
      this.#detach();
      this.#known = null;
    }
    this.#listenOnPort();
  }

  /** Rejects every call with `engine-lost`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#detach();
    for (const transport of [this.#control, this.#tabChannel, this.#port]) transport?.close();
    for (const call of [...this.#calls]) this.#settle(call, () => call.reject(closed()));
  }

  #listenOnPort(): void {
    const port = this.#port;
    this.#listen(port, (envelope) => {
      this.#onControl(envelope);
      this.#onAttached(envelope, port);
    });
    this.#say(this.#port, 0, '*', { type: 'who' });
  }

  #listen(transport: Transport | null, listener: (envelope: Envelope) => void): void {
    transport?.listen(
      (envelope) => {
        if (envelope.from === 'engine' && !this.#closed) listener(envelope);
      },
      (v) => this.#parts.onForeignProtocol?.(v),
    );
  }

  #say(transport: Transport, epoch: number, to: Envelope['to'], body: ControlMessage): void {
    const { tab, address } = this.#parts;
    transport.post({ v: PROTOCOL, epoch, tab, from: address, to, body });
  }

  #onControl({ body, epoch, to }: Envelope): void {
    if (to !== '*' && to !== this.#parts.address) return;
    const message = body as ControlMessage;
    switch (message.type) {
      case 'owner':
      case 'alive':
        this.#onOwner(message.owner);
        break;
      case 'leaving':
      case 'hand-over':
      case 'boot-failed':
        this.#onOver(message.owner);
        break;
      case 'tab-gone':
        // Said of this tab while it lives: it is served no more.
        if (message.tab !== this.#parts.tab) break;
        this.#detach();
        this.#attachToKnown();
        break;
      case 'event':
        if (epoch >= this.#lowestEpoch) this.#parts.events.event(message.event);
        break;
      default: // What tabs tell one another.
    }
  }

  #onOwner(owner: Owner): void {
    if (owner.epoch < this.#lowestEpoch) return;
    this.#lowestEpoch = owner.epoch;
    if (this.#known?.epoch !== owner.epoch) this.#detach();
    this.#known = owner;
    this.#attachToKnown();
  }

  #attachToKnown(): void {
    const owner = this.#known;
    const may = this.#mayAttach && !this.#closed && !this.#rpc && !this.#cancelAttach;
    if (may && owner?.phase === 'ready') this.#attach(owner);
  }

  #onOver({ epoch }: Owner): void {
    if (epoch < this.#lowestEpoch) return;
    this.#lowestEpoch = epoch + 1;
    this.#detach();
    this.#known = null;
  }

  #attach(owner: Owner, again = false): void {
    const { address, tab } = this.#parts;
    const isOwn = owner.tab === tab;
    const message: ControlMessage = { type: 'attach', address, epoch: owner.epoch };
    if (isOwn) this.#say(this.#port, owner.epoch, 'engine', message);
    // The engine worker of this tab that has no port to this thread serves it as one of another tab.
    if (this.#control && (!isOwn || again)) this.#say(this.#control, owner.epoch, 'engine', message);
    this.#cancelAttach = this.#parts.clock.after(ATTACH_AGAIN_MS, () => this.#attach(owner, true));
  }

  #onAttached({ body, epoch, to }: Envelope, way: Transport | null): void {
    const { tab, address } = this.#parts;
    const owner = this.#known;
    if (to !== address || (body as Attached | ControlMessage).type !== 'attached') return;
    if (owner?.epoch !== epoch || this.#rpc || !way) return;
    this.#cancelAttach?.();
    this.#cancelAttach = null;
    const line = endpointOn(way, { tab, from: address, to: 'engine', epoch: owner.epoch });
    this.#rpc = createRpc<EngineApi, EngineEvents>(line, this.#parts.events);
    this.#parts.onOwner(owner);
    for (const call of [...this.#calls]) if (!call.sentOver) this.#send(call);
  }

  /** From the owner that is over: what it has not answered waits for the next. */
  #detach(): void {
    this.#cancelAttach?.();
    this.#cancelAttach = null;
    const rpc = this.#rpc;
    if (!rpc) return;
    this.#rpc = null;
    for (const call of this.#calls) call.sentOver = null;
    rpc.$close();
    if (!this.#closed) this.#parts.onOwner(null);
  }

  #send(call: Call): void {
    const rpc = this.#rpc;
    if (!rpc) return;
    call.sentOver = rpc;
    const answer: Promise<unknown> = rpc.$callRaw({ method: call.method, args: call.args });
    answer.then(
      (value) => this.#settle(call, () => call.resolve(value)),
      (thrown: unknown) => {
        if (call.sentOver !== rpc) return;
        const error = toUnisonoError(thrown);
        // This engine has found out before the next one said so.
        if (error.code === 'engine-changed') call.sentOver = null;
        else this.#settle(call, () => call.reject(error));
      },
    );
  }

  #watch(call: Call, signal: AbortSignal | undefined, deadlineMs: number | undefined): void {
    const onAbort = (): void => this.#settle(call, () => call.reject(signal?.reason));
    const onDeadline = (): void =>
      this.#settle(call, () =>
        call.reject(new UnisonoError('deadline', `No answer to "${call.method}" within its time.`)),
      );
    signal?.addEventListener('abort', onAbort);
    const cancel = deadlineMs === undefined ? null : this.#parts.clock.after(deadlineMs, onDeadline);
    call.release = () => {
      signal?.removeEventListener('abort', onAbort);
      cancel?.();
    };
  }

  #settle(call: Call, settle: () => void): void {
    if (!this.#calls.delete(call)) return;
    call.release();
    settle();
    this.#parts.onPending?.(this.pending);
  }
}

const closed = (): UnisonoError =>
  new UnisonoError('engine-lost', 'The connection to the engine was closed.');
