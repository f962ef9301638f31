import type { JournalKind } from '@core/protocol/capture.ts';
import type {
  EngineApi,
  EngineEvent,
  RecognitionSettings,
  SessionStatistics,
  SourceDescription,
} from '@core/protocol/engine.ts';
import type { SessionId, SourceId, TabId } from '@core/protocol/ids.ts';
import type { Owner } from '@core/protocol/tabs.ts';
import type { Presence } from '@core/tabs/presence.ts';
import type { CaptureHandlers, RecoveryHandlers, SourceRequest } from '@src/capture/capture-session.ts';

/** What the page tells the other tabs of itself. */
export interface PageState {
  readonly visible: boolean;
  /** The sessions recorded here now. */
  readonly recording: readonly SessionId[];
  /** Words of this tab wait for an engine. */
  readonly working: boolean;
}

/** The one engine of all tabs, as the page uses it: EngineClient, or a script in tests. */
export interface Engine extends Pick<
  EngineApi,
  'prepare' | 'models' | 'health' | 'report' | 'retest' | 'sessions'
> {
  readonly tab: TabId;
  /** The owner this tab is attached to; null while there is none. */
  readonly owner: Owner | null;
  /** This browser cannot share an engine: every tab has its own. */
  readonly singleTab: boolean;
  readonly presence: Pick<Presence, 'tabs' | 'onChange' | 'refresh'>;
  subscribe(listener: (event: EngineEvent) => void): () => void;
  onOwner(listener: (owner: Owner | null) => void): () => void;
  onForeignProtocol(listener: (version: number) => void): () => void;
  /** The way of a session's capture worker to the engine worker of this tab. */
  openPort(sessionId: SessionId): MessagePort;
  update(change: Partial<PageState>): void;
}

/** One recording: CaptureSession, or a script in tests. */
export interface Capture {
  readonly journal: JournalKind;
  addSource(request: SourceRequest): Promise<SourceDescription>;
  removeSource(sourceId: SourceId): Promise<void>;
  updateSettings(settings: RecognitionSettings): Promise<void>;
  setPaused(paused: boolean): Promise<void>;
  stop(): Promise<void>;
  finish(keepAudio: boolean): Promise<SessionStatistics>;
}

/** Begins a recording, or goes on with one whose tab died: the static side of CaptureSession. */
export interface CaptureStarter {
  start(
    config: {
      readonly sessionId: SessionId;
      readonly tab: TabId;
      readonly settings: RecognitionSettings;
    },
    engine: MessagePort,
    handlers: CaptureHandlers,
  ): Promise<Capture>;
  /** Resolves when the recording is finished: false when nothing was left of it. */
  recover(
    config: { readonly sessionId: SessionId; readonly tab: TabId },
    engine: MessagePort,
    keepAudio: boolean,
    handlers: RecoveryHandlers,
  ): Promise<boolean>;
}
