import type { SpeakerId } from '../protocol/ids.ts';
import type { Word } from '../transcript/types.ts';
import { lengthMs, sharedMs, type SpeakerTurn, type Span } from './turns.ts';

/** Words of a segment, on the clock of the turns they are compared with. */
export interface TimedWords extends Span {
  readonly words: readonly Word[];
}

/** Words [from, to) that one person said; null where nobody is known to have spoken. */
export interface SpeakerRun {
  readonly from: number;
  readonly to: number;
  readonly speaker: SpeakerId | null;
}

/** A word that no turn covers belongs to a turn no further away than this, ms. */
const NEAR_MS = 500;
/** A single word of somebody else that is shorter than this is an error of the word times, ms. */
const ISLAND_MS = 300;
/** Who speaks at least this part as long as the one who speaks the most during a word may have said it as well. */
const RIVAL_SHARE = 0.5;

/** Splits a segment's words by who said them. The runs cover all words, in order. */
export function runsBySpeaker(segment: TimedWords, turns: readonly SpeakerTurn[]): SpeakerRun[] {
  const spans = wordSpans(segment);
  const near = turns.filter(
    ({ startMs, endMs }) => startMs < segment.endMs + NEAR_MS && endMs > segment.startMs - NEAR_MS,
  );
  const speakers = withoutIslands(settle(spans.map((span) => speakersDuring(span, near))), spans);
  const runs: SpeakerRun[] = [];
  speakers.forEach((speaker, index) => {
    const last = runs.at(-1);
    if (last?.speaker === speaker) runs[runs.length - 1] = { ...last, to: index + 1 };
    else runs.push({ from: index, to: index + 1, speaker });
  });
  return runs;
}

/** Each word's time; words without one share the time between their neighbours by the length of their text. */
export function wordSpans({ words, startMs, endMs }: TimedWords): Span[] {
  const spans: Span[] = [];
  while (spans.length < words.length) {
    const from = spans.length;
    const timed = words.findIndex((word, index) => index >= from && isTimed(word));
    const to = timed < 0 ? words.length : timed;
    const beginsMs = spans.at(-1)?.endMs ?? startMs;
    const endsMs = Math.max(beginsMs, words[to]?.startMs ?? endMs);
    const characters = words.slice(from, to).map(({ text }) => Math.max(1, text.trim().length));
    const perCharacter = (endsMs - beginsMs) / characters.reduce((sum, count) => sum + count, 0);
    let atMs = beginsMs;
    for (const count of characters) spans.push({ startMs: atMs, endMs: (atMs += count * perCharacter) });
    const word = words[to];
    if (word && isTimed(word)) spans.push({ startMs: word.startMs, endMs: word.endMs });
  }
  return spans;
}

const isTimed = (word: Word): word is Word & { startMs: number; endMs: number } =>
  word.startMs !== null && word.endMs !== null;

/** Who may have said a word, the likeliest first. */
function speakersDuring(span: Span, turns: readonly SpeakerTurn[]): SpeakerId[] {
  const shared = new Map<SpeakerId, number>();
  let nearest: SpeakerTurn | undefined;
  const distance = (turn: Span): number => Math.max(0, turn.startMs - span.endMs, span.startMs - turn.endMs);
  for (const turn of turns) {
    const ms = sharedMs(span, turn);
    if (ms > 0) shared.set(turn.speaker, (shared.get(turn.speaker) ?? 0) + ms);
    if (nearest === undefined || distance(turn) < distance(nearest)) nearest = turn;
  }
  if (shared.size === 0) return nearest && distance(nearest) <= NEAR_MS ? [nearest.speaker] : [];
  const ranked = [...shared].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return ranked.filter(([, ms]) => ms >= RIVAL_SHARE * ranked[0]![1]).map(([speaker]) => speaker);
}

/** What several may have said belongs to whoever said the word before it, else to whoever surely speaks next. */
function settle(candidates: readonly (readonly SpeakerId[])[]): (SpeakerId | null)[] {
  const settled: (SpeakerId | null)[] = [];
  candidates.forEach((own, index) => {
    const before = settled.at(-1);
    const after = candidates.slice(index + 1).find((others) => others.length === 1)?.[0];
    const around = own.find((speaker) => speaker === before) ?? own.find((speaker) => speaker === after);
    settled.push(around ?? own[0] ?? null);
  });
  return settled;
}

function withoutIslands(
  speakers: readonly (SpeakerId | null)[],
  spans: readonly Span[],
): (SpeakerId | null)[] {
  return speakers.map((speaker, index) => {
    const before = speakers[index - 1];
    const isIsland = typeof before === 'number' && before !== speaker && before === speakers[index + 1];
    return isIsland && lengthMs(spans[index]!) < ISLAND_MS ? before : speaker;
  });
}
