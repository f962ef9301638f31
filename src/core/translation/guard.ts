import { normaliseWord } from '../transcript/alignment.ts';
import { cutLoops } from '../transcript/repetition.ts';
import type { Language } from '../transcript/types.ts';
import { keepsNumbers } from './numbers.ts';
import { addressSpans } from './placeholders.ts';
import type { TranslationFlaw } from './types.ts';

/** A Chinese character says about as much as so many letters. In 390 sentences in four languages the ratio is 0.4–2.8. */
const LETTERS_PER_CHARACTER = 3;
const LEAST_RATIO = 0.3;
const MOST_RATIO = 2.5;
/** Short texts vary by more: letters on top. */
const LEAST_SLACK = 6;
const MOST_SLACK = 25;
/** A text with less than this share of its three-word phrases different says the same again and again. */
const LEAST_DISTINCT = 0.65;
const LEAST_PHRASES = 12;
/** Models copy a sentence they do not understand, but for a word or two. */
const MOST_COPIED = 0.8;
const COPIED_FROM_WORDS = 5;

const HAN = /\p{Script=Han}/gu;
/** Part of a word, or marks, over and over. Zeros in a number may be many. */
const STUTTER = /([^\d\s]{1,12}?)(?:\s*\1){7,}|(\p{Script=Latin}{2,6}?)\2{4,}/u;

/** Words in lower case; of Chinese, characters. Marks are words that say nothing. */
const wordsOf = (text: string): string[] =>
  text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+/gu)?.map((word) => normaliseWord(word)) ?? [];
const spokenIn = (text: string): string[] => wordsOf(text).filter((word) => word !== '');

const lengthOf = (text: string): number =>
  (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0) + (text.match(HAN)?.length ?? 0) * (LETTERS_PER_CHARACTER - 1);

/** Words that begin with a small letter, or are Chinese: no numbers, addresses or names, nor the first of a sentence. */
const plainIn = (text: string): string[] =>
  (text.match(/\p{Script=Han}+|[^\s\p{Script=Han}]+/gu) ?? [])
    .filter(
      (word) => !/[\p{N}@]|\p{L}\.\p{L}/u.test(word) && /^[^\p{L}]*(?:\p{Ll}|\p{Script=Han})/u.test(word),
    )
    .map(normaliseWord);

/** Whether a text has more to translate than a name, a number or one short word such as "OK". */
function isTranslatable(text: string): boolean {
  const plain = plainIn(text);
  const only = plain[0] ?? '';
  return (
    plain.length > 1 ||
    only.length > 5 ||
    /^\p{Script=Han}{2}/u.test(only) ||
    (only !== '' && spokenIn(text).length > 1)
  );
}

function isCopy(source: string, translation: string): boolean {
  if (spokenIn(source).join(' ') === spokenIn(translation).join(' ')) return isTranslatable(source);
  const plain = plainIn(source);
  const written = new Set(wordsOf(translation));
  const copied = plain.filter((word) => written.has(word)).length;
  return plain.length >= COPIED_FROM_WORDS && copied / plain.length > MOST_COPIED;
}

/** The other side's writing is missing where there is something to translate, or most of it is still there. */
function isInWrongScript(source: string, translation: string, from: Language, to: Language): boolean {
  const share =
    (translation.match(HAN)?.length ?? 0) / Math.max(1, translation.match(/\p{L}/gu)?.length ?? 0);
  if (to === 'zh') return share === 0 && isTranslatable(source);
  return from === 'zh' && share > 0.5;
}

function distinctShare(words: readonly string[]): number {
  const phrases = words
    .slice(2)
    .map((word, index) => `${words[index] ?? ''} ${words[index + 1] ?? ''} ${word}`);
  return phrases.length < LEAST_PHRASES ? 1 : new Set(phrases).size / phrases.length;
}

/** How many words follow themselves at a short distance, as in "no, no, no". */
const echoesIn = (words: readonly string[]): number =>
  Math.max(
    ...[1, 2, 3, 4].map((distance) => words.filter((word, at) => word === words[at + distance]).length),
  );

/** Repeats itself as the source does not. */
function repeats(source: string, translation: string): boolean {
  const said = wordsOf(source);
  const written = wordsOf(translation);
  const asWords = written.map((text) => ({ text, startMs: null, endMs: null }));
  if (cutLoops(asWords).cut > 2 * echoesIn(said)) return true;
  if (STUTTER.test(translation) && !STUTTER.test(source)) return true;
  const distinct = distinctShare(written);
  return distinct < LEAST_DISTINCT && distinct < 0.7 * distinctShare(said);
}

function isDegenerate(source: string, translation: string, from: Language, to: Language): boolean {
  const said = lengthOf(source);
  const written = lengthOf(translation);
  if (said === 0) return false;
  if (written === 0) return true;
  if (written < LEAST_RATIO * said - LEAST_SLACK || written > MOST_RATIO * said + MOST_SLACK) return true;
  return (
    isCopy(source, translation) ||
    isInWrongScript(source, translation, from, to) ||
    repeats(source, translation)
  );
}

/**
 * What is wrong with a translation, as far as can be told without knowing the languages. A sound translation that is
 * refused is lost, so what may be right passes.
 *
 * @returns `degenerate`: it is empty, the source itself, repeats itself or is far too short or long. `altered`: a number
 *   written in digits, or an address, is missing.
 */
export function flawOf(
  source: string,
  translation: string,
  from: Language,
  to: Language,
): TranslationFlaw | null {
  if (isDegenerate(source, translation, from, to)) return 'degenerate';
  const addresses = addressSpans(source);
  const written = translation.toLowerCase();
  if (!addresses.every(({ value }) => written.includes(value.toLowerCase()))) return 'altered';
  const withoutAddresses = (text: string): string =>
    addresses.reduce((rest, { value }) => rest.replace(value, ' '), text);
  return keepsNumbers(withoutAddresses(source), withoutAddresses(translation), to) ? null : 'altered';
}
