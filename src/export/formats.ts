import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { toJson } from './json.ts';
import { toSrt } from './srt.ts';
import { toTxt } from './txt.ts';
import { toVtt } from './vtt.ts';
import type { Wording } from './wording.ts';

export const EXPORT_FORMATS = ['txt', 'srt', 'vtt', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly content: string;
}

type Writer = (
  transcript: MeetingTranscript,
  wording: Wording,
  sourceLabel: (sourceId: string) => string,
) => string;

const WRITERS: Record<ExportFormat, { mimeType: string; write: Writer }> = {
  txt: { mimeType: 'text/plain', write: toTxt },
  srt: { mimeType: 'application/x-subrip', write: toSrt },
  vtt: { mimeType: 'text/vtt', write: toVtt },
  json: { mimeType: 'application/json', write: toJson },
};

/** @param sourceLabel what a reader calls a source, by its id */
export function exportTranscript(
  transcript: MeetingTranscript,
  format: ExportFormat,
  wording: Wording,
  sourceLabel: (sourceId: string) => string,
): ExportedFile {
  const { mimeType, write } = WRITERS[format];
  const stamp = localStamp(new Date(transcript.meeting.startedAtMs));
  return {
    name: `unisono-${stamp}${languageSuffix(wording)}.${format}`,
    mimeType,
    content: write(transcript, wording, sourceLabel),
  };
}

/** Players find the language of subtitles in their name: `….fr.srt`; `….both-fr.srt` is under the original. */
function languageSuffix({ text, translations: { target } }: Wording): string {
  if (text === 'original' || target === null) return '';
  return text === 'both' ? `.both-${target}` : `.${target}`;
}

/** `2026-03-01-0930` in the reader's own time zone. */
function localStamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}`;
}
