import type { HealthEntry } from './engine.ts';
import type { TabId } from './ids.ts';
import type { Address } from './tabs.ts';

/** What the election must know of the worker's page. */
export interface PageState {
  readonly visible: boolean;
  /** Something waits for an engine. */
  readonly working: boolean;
  readonly recording: boolean;
}

/** Page → its engine worker. */
export type EngineWorkerMessage =
  /** The first message. */
  | {
      readonly type: 'init';
      readonly tab: TabId;
      readonly build: number;
      /** This browser cannot share an engine between tabs: the worker starts its own at once. */
      readonly singleTab: boolean;
    }
  /** A thread of the tab, and the way to it. A second one of the same address takes the place of the first. */
  | { readonly type: 'client'; readonly address: Exclude<Address, 'engine'>; readonly port: MessagePort }
  | { readonly type: 'page'; readonly state: PageState }
  /** The page goes away. */
  | { readonly type: 'leave' };

/** Engine worker → its page. */
export type EngineWorkerEvent =
  /** It runs, and holds its lock (LOCKS.engineWorker) for as long as it does. */
  | { readonly type: 'started' }
  /** It cannot go on: only another worker can. */
  | { readonly type: 'failed'; readonly reason: string }
  /** Whether the engine of all tabs runs, or is being started, here. */
  | { readonly type: 'ownership'; readonly owns: boolean }
  /** A line of this worker's own log. */
  | { readonly type: 'log'; readonly entry: HealthEntry };
