import type { CaptureSession } from '@src/capture/capture-session.ts';
import type { EngineClient, PageUpdate } from '@src/engine/engine-client.ts';

/** What the page tells the other tabs and the election. */
export type PageState = Pick<PageUpdate, 'recording' | 'working'>;

/** The one engine of all tabs, as the page uses it; tests have a script in its place. */
export type Engine = Pick<
  EngineClient,
  | 'tab'
  | 'owner'
  | 'singleTab'
  | 'prepare'
  | 'models'
  | 'health'
  | 'report'
  | 'retest'
  | 'sessions'
  | 'translate'
  | 'subscribe'
  | 'onOwner'
  | 'onForeignProtocol'
  | 'openPort'
> & {
  readonly presence: Pick<EngineClient['presence'], 'tabs' | 'onChange' | 'refresh'>;
  update(change: Partial<PageState>): void;
};

/** One recording, as the page uses it. */
export type Capture = Pick<
  CaptureSession,
  'journal' | 'addSource' | 'removeSource' | 'updateSettings' | 'setPaused' | 'stop' | 'finish'
>;

/** Begins a recording, or finishes one whose tab died. */
export interface CaptureStarter {
  start(...parameters: Parameters<typeof CaptureSession.start>): Promise<Capture>;
  recover: typeof CaptureSession.recover;
}
