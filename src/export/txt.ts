import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { textOf } from '@core/transcript/types.ts';
import { clockTime } from './time.ts';
import { translatedText, translationIn, type Wording } from './wording.ts';

/**
 * Plain text for reading: one line per segment with its time, and its source where there are several; in both
 * languages, the translation on a line of its own after an arrow.
 * @param sourceLabel what a reader calls a source, by its id
 */
export function toTxt(
  { meeting, segments }: MeetingTranscript,
  wording: Wording,
  sourceLabel: (sourceId: string) => string,
): string {
  const named = meeting.sources.length > 1;
  return segments
    .map((segment) => {
      const original = textOf(segment.committed);
      if (original === '') return '';
      const translation = translationIn(wording, segment);
      const translated = translation && translatedText(segment, translation);
      const source = named ? `${sourceLabel(segment.sourceId)}: ` : '';
      const head = `[${clockTime(segment.startMs)}] ${source}`;
      if (!translated) return `${head}${original}\n`;
      if (wording.text === 'translation') return `${head}${translated}\n`;
      return `${head}${original}\n    → ${translation.target}: ${translated}\n`;
    })
    .join('');
}
