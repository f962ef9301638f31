import { textOf, type Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';

/** The unit's words are still the segment's words. */
const holds = ({ from, to, text }: TranslatedUnit, { committed }: Segment): boolean =>
  to <= committed.length && textOf(committed.slice(from, to)) === text;

/** The units whose words are still the segment's words. */
export const unitsThatHold = ({ units }: SegmentTranslation, segment: Segment): readonly TranslatedUnit[] =>
  units.filter((unit) => holds(unit, segment));

/** Words that the translation says something of. */
const wordsCovered = (translation: SegmentTranslation, segment: Segment | undefined): number =>
  (segment ? unitsThatHold(translation, segment) : translation.units).reduce(
    (sum, { from, to }) => sum + to - from,
    0,
  );

/**
 * What is known of a segment's translation after hearing more. A shorter one never takes the place of a longer one whose
 * words still stand, and under a new glossary what is not translated anew yet stays.
 *
 * @param segment as far as it is known here
 */
export function fold(
  before: SegmentTranslation | undefined,
  next: SegmentTranslation,
  segment: Segment | undefined,
): SegmentTranslation {
  if (!before) return next;
  if (before.glossary === next.glossary)
    return wordsCovered(next, segment) < wordsCovered(before, segment) ? before : next;
  if (next.complete) return next;
  const isNew = (unit: TranslatedUnit) =>
    next.units.every(({ from, to }) => unit.to <= from || unit.from >= to);
  const units = [...before.units.filter(isNew), ...next.units].sort((a, b) => a.from - b.from);
  return { ...next, units };
}
