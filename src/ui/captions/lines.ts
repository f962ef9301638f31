import type { Language, Segment } from '@core/transcript/types.ts';
import { unitsBeforeGap } from '@core/translation/running-text.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';
import type { App } from '@src/stores/app.svelte.ts';
import type { Settings } from '@src/stores/settings.svelte.ts';

/** Fills a screen of 1080 px with the smallest type, even when people say no more than a word at a time. */
const MAX_LINES = 30;

/** What the captions show of one segment. */
export interface CaptionLine {
  readonly segment: Segment;
  /** Its own words are shown. */
  readonly original: boolean;
  /** Its translation from the first word to the first gap; empty where none is shown. */
  readonly units: readonly TranslatedUnit[];
}

interface CaptionChoice {
  readonly text: Settings['captionText'];
  /** Null: nothing is translated. */
  readonly target: Language | null;
  readonly translationOf: (segment: Segment) => SegmentTranslation | null;
  /** No translation of it will come. */
  readonly isHopeless: (segment: Segment) => boolean;
}

/** The lines that the meeting on the screen ends with, in the order they were said. */
export const captionLines = ({ transcripts, translations, settings }: App): CaptionLine[] =>
  linesOf(transcripts.segments, {
    text: settings.current.captionText,
    target: translations.target,
    translationOf: (segment) => translations.of(segment),
    isHopeless: (segment) => segment.state === 'final' && translations.obstacle(segment) !== null,
  });

/**
 * The last lines of a transcript. Where only the translation is wanted, what was said in its language stands as it was said,
 * and so does what cannot be translated; the rest is left out until its translation is there.
 */
export function linesOf(segments: readonly Segment[], choice: CaptionChoice, max = MAX_LINES): CaptionLine[] {
  const lines: CaptionLine[] = [];
  for (let index = segments.length - 1; index >= 0 && lines.length < max; index--) {
    const line = lineOf(segments[index]!, choice);
    if (line) lines.unshift(line);
  }
  return lines;
}

function lineOf(
  segment: Segment,
  { text, target, translationOf, isHopeless }: CaptionChoice,
): CaptionLine | null {
  const asSaid = { segment, original: true, units: [] };
  if (text === 'original' || target === null || segment.language === target) return asSaid;
  const units = unitsBeforeGap(translationOf(segment)?.units ?? []);
  if (text === 'both' || units.length > 0) return { segment, original: text === 'both', units };
  return isHopeless(segment) ? asSaid : null;
}
