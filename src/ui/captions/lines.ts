import type { Language, Segment } from '@core/transcript/types.ts';
import { isTranslator } from '@core/translation/directions.ts';
import { routeOf } from '@core/translation/route.ts';
import { unitsBeforeGap } from '@core/translation/running-text.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';
import type { App } from '@src/stores/app.svelte.ts';
import type { EngineStatusStore } from '@src/stores/engine-status.svelte.ts';
import type { Settings } from '@src/stores/settings.svelte.ts';
import type { TranslationsStore } from '@src/stores/translations.svelte.ts';

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
  /** Nothing is shown of it until its translation comes: it is still being said, or no model has to be fetched first. */
  readonly isWaitedFor: (segment: Segment) => boolean;
}

/** The lines that the meeting on the screen ends with, in the order they were said. */
export const captionLines = ({ transcripts, translations, settings, status }: App): CaptionLine[] =>
  linesOf(transcripts.segments, {
    text: settings.current.captionText,
    target: translations.target,
    translationOf: (segment) => translations.of(segment),
    isWaitedFor: (segment) => segment.state !== 'final' || isReady(segment.language, translations, status),
  });

/** Every model on the way from the language is there. */
function isReady(
  from: Language | null,
  { target, byBrowser, browser }: TranslationsStore,
  { models }: EngineStatusStore,
): boolean {
  if (!from || !target) return false;
  if (byBrowser) return browser.isReady(from);
  const ready = new Set([...models.keys()].filter((id) => models.get(id)?.state === 'ready'));
  return (
    routeOf(from, target, new Set([...ready].filter(isTranslator)))?.every((id) => ready.has(id)) ?? false
  );
}

/**
 * The last lines of a transcript. Where only the translation is wanted, what was said in its language stands as it was said,
 * and so does what cannot be translated for now; the rest is left out until its translation is there.
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
  { text, target, translationOf, isWaitedFor }: CaptionChoice,
): CaptionLine | null {
  const asSaid = { segment, original: true, units: [] };
  if (text === 'original' || target === null || segment.language === target) return asSaid;
  const units = unitsBeforeGap(translationOf(segment)?.units ?? []);
  if (text === 'both' || units.length > 0) return { segment, original: text === 'both', units };
  return isWaitedFor(segment) ? null : asSaid;
}
