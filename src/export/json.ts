import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { textOf } from '@core/transcript/types.ts';

/** Everything known of a meeting, for other programs. `version` grows when a field changes its meaning. */
export function toJson({ meeting, segments }: MeetingTranscript): string {
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
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
