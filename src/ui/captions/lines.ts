import type { Language, Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import type { App } from '@src/stores/app.svelte.ts';
import type { Settings } from '@src/stores/settings.svelte.ts';

/** Fills a screen of 1080 px with the smallest type, even when people say no more than a word at a time. */
const MAX_LINES = 30;

/** What the captions show of one segment. */
export interface CaptionLine {
  readonly segment: Segment;
  /** Its own words are shown. */
  readonly original: boolean;
  /** Its translation from the first word to the first gap; null where none is shown. */
  readonly translation: string | null;
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
  if (text === 'original' || target === null || segment.language === target)
    return { segment, original: true, translation: null };
  const units = translationOf(segment);
  const translation = units && (textBeforeGap(units) || null);
  if (text === 'both') return { segment, original: true, translation };
  if (translation !== null) return { segment, original: false, translation };
  return isHopeless(segment) ? { segment, original: true, translation: null } : null;
}

/** A unit after a gap waits: words that were put in before it would move it. */
function textBeforeGap({ units, target }: SegmentTranslation): string {
  const gap = units.findIndex(({ from }, index) => from !== (units[index - 1]?.to ?? 0));
  return (gap === -1 ? units : units.slice(0, gap))
    .map(({ translation }) => translation)
    .join(target === 'zh' ? '' : ' ');
}
