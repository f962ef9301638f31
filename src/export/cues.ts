import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import type { Segment } from '@core/transcript/types.ts';

/** One subtitle: what is on the screen from `startMs` to `endMs`, times on the meeting's clock. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** One line, or two parted by a line feed. */
  readonly text: string;
  readonly segment: Segment;
}

/** Two lines of the usual length for subtitles; Chinese characters are twice as wide. */
const LINE_CHARACTERS = { latin: 42, chinese: 18 };
const MAX_CUE_MS = 7_000;
const SENTENCE_END = /[.!?…。！？]["»”’)]*$/u;

/**
 * Cuts finished segments into subtitles. A segment that is too long is cut between words: where the recognizer
 * gave word times those are used, else the segment's time is shared out by the length of the text.
 * Cues of one segment never overlap and stay within it.
 */
export function toCues({ meeting, segments }: MeetingTranscript): readonly Cue[] {
  const offsets = new Map(meeting.sources.map((source) => [source.sourceId, source.offsetMs]));
  return segments.flatMap((segment) => cuesOf(segment, offsets.get(segment.sourceId) ?? 0));
}

interface TimedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

function cuesOf(segment: Segment, offsetMs: number): Cue[] {
  const line = segment.language === 'zh' ? LINE_CHARACTERS.chinese : LINE_CHARACTERS.latin;
  return groupWords(timedWords(segment, offsetMs), 2 * line).flatMap((group) => {
    const first = group[0];
    const last = group.at(-1);
    const text = textOfGroup(group);
    if (!first || !last || text === '') return [];
    return [{ startMs: first.startMs, endMs: last.endMs, text: wrap(text, line), segment }];
  });
}

function groupWords(words: readonly TimedWord[], maxCharacters: number): TimedWord[][] {
  const groups: TimedWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (!group || !fits(group, word, maxCharacters)) groups.push([word]);
    else group.push(word);
  }
  return groups;
}

/** A full sentence that fills a line is worth a cue of its own; short ones share. */
function fits(group: readonly TimedWord[], word: TimedWord, maxCharacters: number): boolean {
  const text = textOfGroup(group);
  const startMs = group[0]?.startMs ?? word.startMs;
  if (text.length + word.text.trimEnd().length > maxCharacters || word.endMs - startMs > MAX_CUE_MS)
    return false;
  return !(SENTENCE_END.test(text) && text.length > maxCharacters / 2);
}

const textOfGroup = (group: readonly TimedWord[]): string =>
  group
    .map((word) => word.text)
    .join('')
    .trim();

/** Every word with a time inside its segment: its own, or its share of the segment's. Starts never go back. */
function timedWords(segment: Segment, offsetMs: number): TimedWord[] {
  const { committed, startMs, endMs } = segment;
  const total = committed.reduce((sum, word) => sum + word.text.length, 0) || 1;
  const timed = committed.every((word) => word.startMs !== null && word.endMs !== null);
  const share = (characters: number) => startMs + ((endMs - startMs) * characters) / total;
  let seen = 0;
  let earliestMs = startMs;
  return committed.map((word) => {
    const from = timed ? (word.startMs ?? 0) + offsetMs : share(seen);
    seen += word.text.length;
    const to = timed ? (word.endMs ?? 0) + offsetMs : share(seen);
    const wordStartMs = Math.min(Math.max(from, earliestMs), endMs);
    earliestMs = Math.min(Math.max(to, wordStartMs), endMs);
    return { text: word.text, startMs: wordStartMs, endMs: earliestMs };
  });
}

/** The text on two balanced lines where one is not enough. */
function wrap(text: string, lineCharacters: number): string {
  if (text.length <= lineCharacters) return text;
  const middle = Math.ceil(text.length / 2);
  const spaces = [...text.matchAll(/ /g)].map((match) => match.index);
  if (spaces.length === 0) return `${text.slice(0, middle)}\n${text.slice(middle)}`;
  const nearest = spaces.reduce((best, at) => (Math.abs(at - middle) < Math.abs(best - middle) ? at : best));
  return `${text.slice(0, nearest)}\n${text.slice(nearest + 1)}`;
}
