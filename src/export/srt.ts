import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { toCues } from './cues.ts';
import { cueTime } from './time.ts';
import type { Wording } from './wording.ts';

/** SubRip: numbered cues, times with a comma, CRLF as old players expect. */
export function toSrt(transcript: MeetingTranscript, wording: Wording): string {
  return toCues(transcript, wording)
    .map((cue, index) => {
      const times = `${cueTime(cue.startMs, ',')} --> ${cueTime(cue.endMs, ',')}`;
      const lines = cue.texts.map(({ text }) => text).join('\n');
      // A "-->" inside the text would be read as times.
      return `${index + 1}\n${times}\n${lines.replaceAll('-->', '→')}\n\n`;
    })
    .join('')
    .replaceAll('\n', '\r\n');
}
