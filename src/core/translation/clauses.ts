import type { Language, Word } from '../transcript/types.ts';

/** A clause that is cut off has at least so many words, and so has what it leaves: less means little on its own. */
const LEAST_WORDS = 4;
const LEAST_CHARACTERS = 6;
/** A silence between two words that is no accident; word times are about 100 ms exact. */
const PAUSE_MS = 400;

const HAN_OR_RUN = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}])+/gu;
const CLAUSE_END = /(?:[,;:，；：…—–]|\.\.\.|(?:^|\s)-)["'”’»)）」』]*\s*$/u;

/** Words that begin a clause. */
const CONJUNCTION: Readonly<Record<Language, RegExp>> = {
  en: /^(?:but|because|although|though|whereas|however|unless|if|when|while)(?!\p{L})/iu,
  es: /^(?:pero|porque|aunque|sino|mientras|cuando|así que|ya que|sin embargo|por lo que|si)(?!\p{L})/iu,
  fr: /^(?:mais|parce que?|puisque?|alors que?|tandis que?|lorsque?|quand|car|cependant|pourtant|même si|si)(?!\p{L})/iu,
  zh: /^(?:但|可是|不过|所以|因为|因此|而且|然后|如果|虽然|并且|同时|于是|由于|另外)/u,
};
/** Words that begin a clause about as often as they do not. */
const WEAK_CONJUNCTION: Readonly<Record<Language, RegExp>> = {
  en: /^(?:and|or|so|which|who|where)(?!\p{L})/iu,
  es: /^(?:y|e|o|u|que|donde|como)(?!\p{L})/iu,
  fr: /^(?:et|ou|donc|que?|qui|dont|où)(?!\p{L})/iu,
  zh: /^(?:还有|或者|或是|以及|就是)/u,
};
/** Words that belong to what follows them: no clause ends there. */
const LEADING: Readonly<Record<Language, RegExp>> = {
  en: /^(?:the|an?|of|to|in|on|at|for|with|from|by|my|your|our|their|his|her|its|this|that|these|those|and|or|is|are|was|were|be|not|very|more|than|i|we|you|they|he|she)$/iu,
  es: /^(?:el|las?|los?|una?|del?|al?|en|con|por|para|sin|mi|sus?|tu|y|o|que|no|muy|más|menos|tan|es|son|ya|hay|tengo|tienen?|tenemos|se|me|nos|les?)$/iu,
  fr: /^(?:les?|la|une?|des?|du|à|aux?|en|dans|avec|pour|par|sans|sur|mon|ma|mes|son|sa|ses|et|ou|qu[ei]|ne|pas|très|plus|moins|est|sont|je|tu|ils?|elles?|on|nous|vous|se|ce|parce|alors)$/iu,
  zh: /^[的和跟与在把被对给从向很最更不没我你他她它这那]$/u,
};

const leastSize = (language: Language): number => (language === 'zh' ? LEAST_CHARACTERS : LEAST_WORDS);

/** What is counted of a text: its words, in Chinese its characters. Punctuation is nothing. */
const sizeOfWord = ({ text }: Word, language: Language): number => {
  const parts = text.match(HAN_OR_RUN)?.length ?? 0;
  return language === 'zh' ? parts : Math.min(1, parts);
};

/** Words or, in Chinese, characters in words [from, to). */
export const sizeOf = (words: readonly Word[], from: number, to: number, language: Language): number =>
  words.slice(from, to).reduce((sum, word) => sum + sizeOfWord(word, language), 0);

const pauseBefore = (words: readonly Word[], index: number): number => {
  const begins = words[index]?.startMs ?? null;
  const ended = words[index - 1]?.endMs ?? null;
  return begins === null || ended === null ? 0 : begins - ended;
};

/** How well words can be cut before `index`: 4 a main clause ends, 3 a clause ends, 2 one may end, 1 there is a pause, 0 nothing says so, -1 badly. */
function fitness(words: readonly Word[], index: number, language: Language): number {
  const before = words[index - 1]?.text ?? '';
  if (/[;；]\s*$/u.test(before)) return 4;
  if (CLAUSE_END.test(before)) return 3;
  // Whisper separates clauses of Chinese with spaces as often as with commas.
  if (
    language === 'zh' &&
    /\p{Script=Han}$/u.test(before) &&
    /^\s+\p{Script=Han}/u.test(words[index]?.text ?? '')
  ) {
    return 3;
  }
  if (LEADING[language].test(before.trim())) return -1;
  const after = words
    .slice(index, index + 4)
    .map(({ text }) => text)
    .join('')
    .trimStart();
  if (CONJUNCTION[language].test(after)) return 3;
  if (WEAK_CONJUNCTION[language].test(after)) return 2;
  return pauseBefore(words, index) >= PAUSE_MS ? 1 : 0;
}

/**
 * Where a clause of words [from, to) ends: before the index returned, at the last place of the best kind; among pauses
 * at the longest.
 * @param most what the clause may count ({@link sizeOf})
 * @param anyway cut at the best place there is, if no clause seems to end
 * @returns null if there is no such place
 */
export function clauseEnd(
  words: readonly Word[],
  from: number,
  to: number,
  language: Language,
  { most, anyway }: { readonly most: number; readonly anyway: boolean },
): number | null {
  const least = leastSize(language);
  let best: { index: number; fitness: number; pauseMs: number } | null = null;
  let before = 0;
  let behind = sizeOf(words, from, to, language);
  for (let index = from + 1; index < to; index += 1) {
    const counted = sizeOf(words, index - 1, index, language);
    before += counted;
    behind -= counted;
    // Punctuation stays with the word before it.
    if (sizeOf(words, index, index + 1, language) === 0) continue;
    if (before < least || before > most || behind < least) continue;
    const place = { index, fitness: fitness(words, index, language), pauseMs: pauseBefore(words, index) };
    if (place.fitness < 1 && !anyway) continue;
    const better =
      best === null ||
      place.fitness > best.fitness ||
      (place.fitness === best.fitness && (place.fitness > 1 || place.pauseMs >= best.pauseMs));
    if (better) best = place;
  }
  return best?.index ?? null;
}
