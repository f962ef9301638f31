import type { EngineEvent } from './engine.ts';
import type { WireError } from './errors.ts';
import type { Epoch, SessionId, TabId } from './ids.ts';

/** A build with another number speaks another language: the two leave one another alone. */
export const PROTOCOL: number = __PROTOCOL__;

/** Web Locks. Their life is the life of who holds them, so that a death is noticed however it came. */
export const LOCKS = {
  /** Held by the engine worker that owns the engine. */
  engine: 'unisono/engine',
  /** Held by every page for as long as it lives. */
  tab: (tab: TabId) => `unisono/tab/${tab}`,
  /** Held by every tab's engine worker, owner or not. */
  engineWorker: (tab: TabId) => `unisono/engine-worker/${tab}`,
  /** Held by the main thread of a page that records or owns the engine: the browser does not freeze it then. */
  shield: (tab: TabId) => `unisono/shield/${tab}`,
  /** Held by the capture worker that feeds the session: who gets it may recover the recording. */
  recording: (session: SessionId) => `unisono/recording/${session}`,
  /** Held by the one tab that waits for a session's `recording` and recovers it; the others queue behind. */
  recovery: (session: SessionId) => `unisono/recording/${session}/recovery`,
} as const;

/** BroadcastChannels. */
export const CHANNELS = {
  control: 'unisono/control',
  /** Calls and speech between the tab's threads and an engine in another tab. */
  tab: (tab: TabId) => `unisono/tab/${tab}`,
} as const;

/** A party on a tab's channel: `engine`, the page, or one capture worker. */
export type Address = 'engine' | 'page' | `capture/${SessionId}`;

/** What every message between tabs is wrapped in. */
export interface Envelope<Body = unknown> {
  readonly v: number;
  /** Of the engine that sends, or that is addressed; 0 before any is known. */
  readonly epoch: number;
  /** Tab of the sender. */
  readonly tab: TabId;
  readonly from: Address;
  readonly to: Address | '*';
  readonly body: Body;
}

export type EnginePhase = 'booting' | 'ready' | 'draining';

/** Who owns the engine, as every tab knows it. */
export interface Owner {
  readonly epoch: Epoch;
  readonly tab: TabId;
  readonly build: number;
  readonly phase: EnginePhase;
}

/** What a tab tells of itself. */
export interface TabState {
  readonly tab: TabId;
  readonly build: number;
  readonly openedAtMs: number;
  readonly visible: boolean;
  /** The sessions it records now. */
  readonly recording: readonly SessionId[];
}

/** On the control channel. Everything may come twice, late, or never: state, not change, is said. */
export type ControlMessage =
  /** From the owner: at the grant, when ready, and in answer to `who`. */
  | { readonly type: 'owner'; readonly owner: Owner }
  /** From the owner every 2 s and before a long synchronous run, which ends by `busyUntilMs` (wall clock). */
  | { readonly type: 'alive'; readonly owner: Owner; readonly busyUntilMs: number }
  /** From the owner: it lets go; there is no engine until the next `owner`. */
  | { readonly type: 'leaving'; readonly owner: Owner }
  | {
      readonly type: 'boot-failed';
      readonly owner: Owner;
      readonly error: WireError;
      readonly retryInMs: number;
    }
  /** From an idle owner to the tab that shall own the engine next; that tab takes the lock. */
  | { readonly type: 'hand-over'; readonly owner: Owner; readonly to: TabId }
  /** A tab has opened: the owner says `owner`, the tabs say `tab`. */
  | { readonly type: 'who' }
  /** A thread of the tab wants to be served on the tab's channel by this owner. */
  | { readonly type: 'attach'; readonly address: Address; readonly epoch: Epoch }
  | { readonly type: 'tab'; readonly state: TabState }
  | { readonly type: 'tab-gone'; readonly tab: TabId }
  /** From the owner to every tab. */
  | { readonly type: 'event'; readonly event: EngineEvent };

/**
 * From the owner in answer to every `attach`, and on the way the calls will take: the tab's channel, or the port of a thread of
 * its own tab. Only then may calls be made: what is posted to a channel before its other end has opened it is lost.
 */
export interface Attached {
  readonly type: 'attached';
  readonly owner: Owner;
}
