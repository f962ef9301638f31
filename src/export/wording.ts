import { textOf, type Language, type Segment } from '@core/transcript/types.ts';
import { spaceBetween } from '@core/translation/running-text.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';

/** What a file says: what was said, what it means in the reader's language, or one under the other. */
export const EXPORTED_TEXTS = ['both', 'original', 'translation'] as const;
export type ExportedText = (typeof EXPORTED_TEXTS)[number];

/** The meeting's words in the language that the reader has chosen. */
export interface Translations {
  /** Null: none is chosen. */
  readonly target: Language | null;
  /** Into `target`. Null where there is none, as for words that were said in that language. */
  of(segment: Segment): SegmentTranslation | null;
}

/** Words without a translation are written as they were said, whatever is asked for. */
export interface Wording {
  readonly text: ExportedText;
  readonly translations: Translations;
}

export const isTranslated = (segments: readonly Segment[], translations: Translations): boolean =>
  segments.some((segment) => translations.of(segment) !== null);

/** As chosen, or the original while nothing of the meeting is translated. */
export const wordingOf = (
  segments: readonly Segment[],
  translations: Translations,
  chosen: ExportedText,
): Wording => ({ text: isTranslated(segments, translations) ? chosen : 'original', translations });

/** The segment's translation, where it is asked for. */
export const translationIn = (
  { text, translations }: Wording,
  segment: Segment,
): SegmentTranslation | null => (text === 'original' ? null : translations.of(segment));

/** Words [from, to) of a segment; `translation` is null where they stand as they were said. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly translation: string | null;
}

/** A segment's certain words in order: the translated units, and what lies between them. */
export function stretchesOf({ committed }: Segment, translation: SegmentTranslation | null): Stretch[] {
  const stretches: Stretch[] = [];
  let from = 0;
  for (const unit of translation?.units ?? []) {
    if (unit.flaw !== undefined) continue;
    if (unit.from > from) stretches.push({ from, to: unit.from, translation: null });
    stretches.push(unit);
    from = unit.to;
  }
  if (from < committed.length) stretches.push({ from, to: committed.length, translation: null });
  return stretches;
}

/** The segment in the target language, words without a translation as they were said; null if all of them are. */
export function translatedText(segment: Segment, translation: SegmentTranslation): string | null {
  const stretches = stretchesOf(segment, translation);
  if (stretches.every((stretch) => stretch.translation === null)) return null;
  return stretches
    .map(({ from, to, translation }) => translation ?? textOf(segment.committed.slice(from, to)))
    .join(spaceBetween(translation.target));
}
