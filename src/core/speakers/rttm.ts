import { UnisonoError } from '../protocol/errors.ts';
import type { SpeakerTurn } from './turns.ts';

/**
 * Rich Transcription Time Marked, NIST's format for who spoke when (Rich Transcription 2009 evaluation plan, appendix A):
 * `SPEAKER <file> <channel> <start s> <duration s> <NA> <NA> <speaker> <NA> <NA>`.
 */

/** Turns by file, in the order of the lines. Lines of other types, comments (`;;`) and empty lines are passed over.
 * @throws UnisonoError `internal` for a SPEAKER line that is none. */
export function parseRttm(text: string): Map<string, SpeakerTurn<string>[]> {
  const files = new Map<string, SpeakerTurn<string>[]>();
  text.split(/\r?\n/u).forEach((line, index) => {
    const [type, file, , start, duration, , , speaker] = line.trim().split(/\s+/u);
    if (type !== 'SPEAKER') return;
    const startMs = toMs(start);
    const endMs = startMs + toMs(duration);
    if (file === undefined || speaker === undefined || !(endMs >= startMs)) {
      throw new UnisonoError('internal', `line ${index + 1} of an RTTM file is no speaker's turn`);
    }
    const turns = files.get(file) ?? [];
    files.set(file, turns);
    turns.push({ startMs, endMs, speaker });
  });
  return files;
}

const toMs = (seconds: string | undefined): number => Math.round(Number(seconds) * 1000);

/** Names are written with `_` for white space, times to the millisecond. */
export const formatRttm = (file: string, turns: readonly SpeakerTurn<string | number>[]): string =>
  turns
    .map(({ startMs, endMs, speaker }) => {
      const start = Math.round(startMs);
      const duration = Math.round(endMs) - start;
      return `SPEAKER ${asField(file)} 1 ${seconds(start)} ${seconds(duration)} <NA> <NA> ${asField(String(speaker))} <NA> <NA>\n`;
    })
    .join('');

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const asField = (text: string): string => text.trim().replace(/\s+/gu, '_') || '<NA>';
