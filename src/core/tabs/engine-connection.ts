import type { SpeechMessage } from '../protocol/audio.ts';
import type { EngineApi, EngineEvents } from '../protocol/engine.ts';
import type { SessionId, TabId } from '../protocol/ids.ts';
import type { Address, Owner } from '../protocol/tabs.ts';
import type { Clock } from '../util/clock.ts';
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

export class EngineConnection {
  constructor(_parts: ConnectionParts) {
    throw new Error('being written');
  }

  /** Who is attached to; null while there is none. */
  get owner(): Owner | null {
    return null;
  }

  /** Calls that have not settled. */
  get pending(): number {
    return 0;
  }

  /** Waits for an engine, is made again when the engine changes its owner, and always settles. */
  call<Name extends EngineMethod>(
    _method: Name,
    _args: Parameters<Method<Name>>,
    _options: CallOptions = {},
  ): ReturnType<Method<Name>> {
    throw new Error('being written');
  }

  /** @returns false when there is no engine: then the message is not sent */
  speech(_sessionId: SessionId, _message: SpeechMessage): boolean {
    return false;
  }

  /** The engine worker of this tab was started again: this is the way to the new one. */
  usePort(_port: Transport): void {}

  /** Rejects every call with `engine-lost`. */
  close(): void {}
}
