import { textOf, type Language, type Word } from '../transcript/types.ts';
import { clauseEnd, sizeOf } from './clauses.ts';
import { sentenceEnds } from './sentences.ts';
import type { Unit } from './types.ts';

/**
 * Speech that is waited for before an unfinished sentence is cut: ms, or words or Chinese characters without word times. Most sentences are
 * over by then; a clause on its own is translated worse than a reader can wait.
 */
const PATIENCE = { ms: 12_000, words: 30, characters: 60 };
/** Models translate whole sentences of up to so many words well: longer ones are cut even where no clause ends, and no clause is longer. */
const MOST = { words: 40, characters: 80 };

const limitFor = (language: Language, limit: { words: number; characters: number }): number =>
  language === 'zh' ? limit.characters : limit.words;

/** The known units that still tell the words, up to the first that does not. */
function stillTrue(words: readonly Word[], known: readonly Unit[]): readonly Unit[] {
  let at = 0;
  for (const [index, unit] of known.entries()) {
    const holds =
      unit.from === at &&
      unit.to > at &&
      unit.to <= words.length &&
      textOf(words.slice(at, unit.to)) === unit.text;
    if (!holds) return known.slice(0, index);
    at = unit.to;
  }
  return known;
}

function hasLasted(words: readonly Word[], from: number, to: number, language: Language): boolean {
  const beganMs = words[from]?.startMs ?? null;
  const endedMs = words[to - 1]?.endMs ?? null;
  if (beganMs !== null && endedMs !== null) return endedMs - beganMs > PATIENCE.ms;
  return sizeOf(words, from, to, language) > limitFor(language, PATIENCE);
}

/**
 * Cuts a segment's words into what is translated together: sentences, and clauses of those that go on for long. Units
 * given once stay: pass them as `known` (in the order of the words, from the first), and only what is behind the last
 * one whose text still holds is cut anew. The units follow each other without a gap; each holds a letter or a digit
 * unless the whole segment holds none.
 *
 * @param words committed words of one segment
 * @param complete no word will follow: the units cover all words. Otherwise the last sentence, which may go on, is left
 *   out, except for clauses of it that have been spoken for long.
 */
export function unitsOf(
  words: readonly Word[],
  language: Language,
  known: readonly Unit[],
  complete: boolean,
): readonly Unit[] {
  const kept = stillTrue(words, known);
  const units: Unit[] = [...kept];
  let from = kept.at(-1)?.to ?? 0;
  const push = (to: number): void => {
    units.push({ from, to, text: textOf(words.slice(from, to)) });
    from = to;
  };

  const most = limitFor(language, MOST);
  for (const end of sentenceEnds(words, from, language)) {
    const closed = complete || end < words.length;
    for (;;) {
      const size = sizeOf(words, from, end, language);
      if (closed && size <= most) break;
      if (!closed && size <= most && !hasLasted(words, from, end, language)) break;
      const cut = clauseEnd(words, from, end, language, { most, anyway: closed || size > most });
      if (cut === null) break;
      push(cut);
    }
    if (closed) push(end);
  }
  return units;
}
