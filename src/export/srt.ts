import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { toCues } from './cues.ts';
import { cueTime } from './time.ts';

/** SubRip: numbered cues, times with a comma, CRLF as old players expect. */
export function toSrt(transcript: MeetingTranscript): string {
  return toCues(transcript)
    .map((cue, index) => {
      const times = `${cueTime(cue.startMs, ',')} --> ${cueTime(cue.endMs, ',')}`;
      // A "-->" inside the text would be read as times.
      const text = cue.text.replaceAll('-->', '→');
      return `${index + 1}\n${times}\n${text}\n\n`;
    })
    .join('')
    .replaceAll('\n', '\r\n');
}
