import type { SegmentId, SessionId } from '../protocol/ids.ts';
import type { Language } from '../transcript/types.ts';

/** Words [from, to) of a segment that are translated together: a sentence, or a clause of a very long one. */
export interface Unit {
  readonly from: number;
  readonly to: number;
  /** The words' text, trimmed. */
  readonly text: string;
}

/**
 * Why the original words stand where a translation should: the model's answer was none (`degenerate`), or it lost
 * numbers, addresses or glossary terms (`altered`).
 */
export type TranslationFlaw = 'degenerate' | 'altered';

/** A unit with its translation. Once shown it never changes. */
export interface TranslatedUnit extends Unit {
  /** What is shown: the translation, or the original text where there is a flaw. */
  readonly translation: string;
  readonly flaw?: TranslationFlaw;
}

/** What is translated so far of one segment into one language. */
export interface SegmentTranslation {
  readonly sessionId: SessionId;
  readonly segmentId: SegmentId;
  readonly target: Language;
  /** In the order of the words; gaps are not translated yet. */
  readonly units: readonly TranslatedUnit[];
  /** The segment is final and every word of it is in a unit. */
  readonly complete: boolean;
  /** The language it went through, where no model leads straight to the target. */
  readonly via?: Language;
  /** {@link glossaryKey} of what the user had fixed for these words: another key makes it worth a new translation. */
  readonly glossary: string;
}

/** A pair the user has fixed: `term`, said in `from`, is written `translation` in `to`. */
export interface GlossaryEntry {
  readonly from: Language;
  readonly to: Language;
  readonly term: string;
  readonly translation: string;
}

/** What a tab wants to read. */
export interface TranslationView {
  readonly sessionId: SessionId;
  readonly target: Language;
  readonly glossary: readonly GlossaryEntry[];
}
