import type { TranslatorId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import type { TranslatedText, TranslateOptions } from '../inference-protocol.ts';

/** Translation in one direction by one loaded model. Calls must not overlap. */
export interface Translator {
  readonly id: TranslatorId;
  readonly from: Language;
  readonly to: Language;
  /**
   * Translates one sentence. Ends before its next model step once `signal` is aborted.
   *
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  translate(text: string, options: TranslateOptions, signal: AbortSignal): Promise<TranslatedText>;
  dispose(): Promise<void>;
}
