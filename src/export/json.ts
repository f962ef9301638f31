import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { textOf, type Segment } from '@core/transcript/types.ts';
import { translationIn, type Wording } from './wording.ts';

/**
 * Everything known of a meeting, for other programs: the original always, translations where they are asked for.
 * `version` grows when a field changes its meaning.
 */
export function toJson({ meeting, segments }: MeetingTranscript, wording: Wording): string {
  const document = {
    format: 'unisono-transcript',
    version: 1,
    meeting: { ...meeting, startedAt: new Date(meeting.startedAtMs).toISOString() },
    segments: segments.map((segment) => ({
      ...segment,
      committed: undefined,
      tentative: undefined,
      text: textOf(segment.committed),
      words: segment.committed,
      translations: translationsOf(segment, wording),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A list, for readers of more than one language to come; absent where there is none. */
function translationsOf(segment: Segment, wording: Wording) {
  const translation = translationIn(wording, segment);
  if (!translation) return undefined;
  const { target, via, complete, units } = translation;
  return [{ target, via, complete, units }];
}
