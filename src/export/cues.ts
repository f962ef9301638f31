import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import type { Language, Segment } from '@core/transcript/types.ts';
import { spaceBetween } from '@core/translation/running-text.ts';
import { cueCharacters, cutText, evenCuts, wrap } from './lines.ts';
import { stretchesOf, translationIn, type Wording } from './wording.ts';

/** What a cue says in one language: one line, or two parted by a line feed. */
interface CueText {
  readonly text: string;
  readonly language: Language | null;
}

/** One subtitle: what is on the screen from `startMs` to `endMs`, times on the meeting's clock. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** The original, its translation, or the one above the other. */
  readonly texts: readonly CueText[];
  readonly segment: Segment;
}

/** What is not cut any further: a word, or a part of a translated unit. Its texts bring the space before them. */
type Piece = Omit<Cue, 'segment'>;

const MAX_CUE_MS = 7_000;
const SENTENCE_END = /[.!?…。！？]["»”’)]*$/u;

/**
 * Cuts finished segments into subtitles. A segment that is too long is cut between words: where the recognizer
 * gave word times those are used, else the segment's time is shared out by the length of the text. A translated
 * segment is cut between the units of its translation, so that both languages of a cue say the same; a unit that is
 * too long is shared out evenly. Cues of one segment never overlap and stay within it.
 */
export function toCues({ meeting, segments }: MeetingTranscript, wording: Wording): readonly Cue[] {
  const offsets = new Map(meeting.sources.map((source) => [source.sourceId, source.offsetMs]));
  return segments.flatMap((segment) => {
    const pieces = piecesOf(segment, offsets.get(segment.sourceId) ?? 0, wording);
    return groupPieces(pieces).flatMap((group) => {
      const { texts, ...times } = joined(group);
      const lines = texts.map(({ text, language }) => ({ text: wrap(text.trim(), language), language }));
      return lines[0]?.text ? [{ ...times, texts: lines, segment }] : [];
    });
  });
}

function piecesOf(segment: Segment, offsetMs: number, wording: Wording): Piece[] {
  const words = timedWords(segment, offsetMs);
  const translation = translationIn(wording, segment);
  return stretchesOf(segment, translation).flatMap((stretch) => {
    const spoken = words.slice(stretch.from, stretch.to);
    if (!translation || stretch.translation === null) return spoken;
    const translated = { text: stretch.translation, language: translation.target };
    return shareOut(spoken, translated, wording.text === 'both');
  });
}

/** A translated unit in as few parts as fit a cue each, cut at about the same place in both languages. */
function shareOut(words: readonly Piece[], translated: CueText, withOriginal: boolean): Piece[] {
  const { language } = translated;
  const space = spaceBetween(language);
  const places = words.slice(1).map((_, index) => lengthOf(joined(words.slice(0, index + 1))));
  const length = lengthOf(joined(words));
  for (let count = 1; ; count++) {
    const translations = cutText(translated.text, Math.min(count, words.length));
    const cuts = evenCuts(places, length, translations.length).map((index) => index + 1);
    const parts = translations.map((text, part) => {
      const original = joined(words.slice(cuts[part - 1] ?? 0, cuts[part]));
      const texts = [...(withOriginal ? original.texts : []), { text: space + text, language }];
      return { ...original, texts };
    });
    if (translations.length < count || parts.every(fits)) return parts;
  }
}

const lengthOf = ({ texts }: Piece): number => texts[0]?.text.length ?? 0;

function groupPieces(pieces: readonly Piece[]): Piece[][] {
  const groups: Piece[][] = [];
  for (const piece of pieces) {
    const group = groups.at(-1);
    if (group && takes(group, piece)) group.push(piece);
    else groups.push([piece]);
  }
  return groups;
}

/** Translated and other words stay apart. A full sentence that fills a line is worth a cue; short ones share. */
function takes(group: readonly Piece[], piece: Piece): boolean {
  const cue = joined(group);
  const filled = cue.texts.some(
    ({ text, language }) => SENTENCE_END.test(text) && text.trim().length > cueCharacters(language) / 2,
  );
  return !filled && languagesOf(cue) === languagesOf(piece) && fits(joined([...group, piece]));
}

const languagesOf = ({ texts }: Piece): string => texts.map(({ language }) => language).join();

const fits = ({ texts, startMs, endMs }: Piece): boolean =>
  endMs - startMs <= MAX_CUE_MS &&
  texts.every(({ text, language }) => text.trim().length <= cueCharacters(language));

/** Pieces of the same languages, one after the other. */
function joined(pieces: readonly Piece[]): Piece {
  const [first, ...rest] = pieces;
  return rest.reduce<Piece>(
    (cue, { texts, endMs }) => ({
      startMs: cue.startMs,
      endMs,
      texts: cue.texts.map(({ text, language }, index) => ({
        text: text + (texts[index]?.text ?? ''),
        language,
      })),
    }),
    first ?? { startMs: 0, endMs: 0, texts: [] },
  );
}

/** Every word with a time inside its segment: its own, or its share of the segment's. Starts never go back. */
function timedWords(segment: Segment, offsetMs: number): Piece[] {
  const { committed, startMs, endMs, language } = segment;
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
    return { texts: [{ text: word.text, language }], startMs: wordStartMs, endMs: earliestMs };
  });
}
