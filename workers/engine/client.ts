import type { SpeechAcknowledged } from '@core/protocol/audio.ts';
import type { SessionId, TabId } from '@core/protocol/ids.ts';
import type { Address } from '@core/protocol/tabs.ts';

/**
 * A thread of a tab that the engine serves. One object for each attachment: a session belongs to the object that
 * opened it, and another one that opens it takes it over.
 */
export interface EngineClient {
  readonly tab: TabId;
  readonly address: Address;
  /** Everything up to there is stored. */
  acknowledged(sessionId: SessionId, message: SpeechAcknowledged): void;
}
