import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { textOf } from '@core/transcript/types.ts';
import { clockTime } from './time.ts';

/**
 * Plain text for reading: one line per segment with its time, and its source where there are several.
 * @param sourceLabel what a reader calls a source, by its id
 */
export function toTxt(
  { meeting, segments }: MeetingTranscript,
  sourceLabel: (sourceId: string) => string,
): string {
  const named = meeting.sources.length > 1;
  return segments
    .map((segment) => ({ segment, text: textOf(segment.committed) }))
    .filter(({ text }) => text !== '')
    .map(({ segment, text }) => {
      const source = named ? `${sourceLabel(segment.sourceId)}: ` : '';
      return `[${clockTime(segment.startMs)}] ${source}${text}\n`;
    })
    .join('');
}
