import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { toCues } from './cues.ts';
import { cueTime } from './time.ts';
import type { Wording } from './wording.ts';

/**
 * WebVTT. A cue is named after its segment and its place in that, from 1. Each language of a cue is named. Where a meeting
 * has several sources each cue names its own as the voice.
 * @param sourceLabel what a reader calls a source, by its id
 */
export function toVtt(
  transcript: MeetingTranscript,
  wording: Wording,
  sourceLabel: (sourceId: string) => string,
): string {
  const named = transcript.meeting.sources.length > 1;
  const counts = new Map<string, number>();
  const cues = toCues(transcript, wording).map((cue) => {
    const { id } = cue.segment;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    const times = `${cueTime(cue.startMs, '.')} --> ${cueTime(cue.endMs, '.')}`;
    const lines = cue.texts
      .map(({ text, language }) =>
        language === null ? escape(text) : `<lang ${language}>${escape(text)}</lang>`,
      )
      .join('\n');
    const voice = escape(sourceLabel(cue.segment.sourceId)).replaceAll('\n', ' ');
    return `${id}-${count}\n${times}\n${named ? `<v ${voice}>${lines}</v>` : lines}\n\n`;
  });
  return `WEBVTT\n\n${cues.join('')}`;
}

/** Cue text is markup: `&`, `<` and `>` would be read as entities and tags, and `-->` as times. */
const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
