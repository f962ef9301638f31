import type { Language, Word } from '../transcript/types.ts';

const SPEAKS = /[\p{L}\p{N}]/u;

/** Abbreviations behind which a sentence goes on, whatever follows. */
const ABBREVIATION: Readonly<Record<Language, RegExp>> = {
  en: /(?:^|[\s("“])(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Gen|Sen|Rep|Capt|Lt|Col|Sgt|Rev|Hon|vs|e\.g|i\.e|cf|approx|Fig|[A-HJ-Z])\.$/u,
  es: /(?:^|[\s("“¿¡«])(?:Sra?|Sres|Srta|Dra?|Dres|D|Dña|Ud|Uds|Vd|Vds|Prof|Profa|Ing|Lic|Arq|Sto|Sta|Gral|Avda|p\. ?ej|EE(?:\. ?UU)?|aprox|cf|[A-Z])\.$/u,
  fr: /(?:^|[\s("“«])(?:M|MM|Mme|Mmes|Mlle|Dr|Pr|Me|Mgr|St|Ste|p\. ?ex|cf|env|[A-Z])\.$/u,
  zh: /(?:^|[\s("“]|\p{Script=Han})(?:Mr|Mrs|Ms|Dr|Prof|[A-Z])\.$/u,
};
/** U.S., J.K., J.-P.: a name follows more often than a sentence, and two sentences together cost less than half of one. */
const INITIALS = /(?<!\p{L})(?:\p{Lu}\.-?){2,}$/u;
/** Abbreviations when a number follows; "No." is a sentence too. */
const BEFORE_NUMBER =
  /(?:^|[\s(¿¡])(?:no|nos|núm|nº|n|art|arts|pág|págs|pp?|fig|figs|vol|cap|chap|ch|sec|approx|aprox|env)\.$/iu;
/** "1. First": the number of a list belongs to what it counts. */
const ONLY_NUMBER = /^[\p{P}\s]*\d+[.)]$/u;
/** Somebody hesitates. Behind a few words that ends no sentence. */
const HESITATION = /(?:…|\.\.\.)["'”’»)）」』]*$/u;
const LEAST_HESITATION = 4;
const LEAST_HESITATION_CHARACTERS = 6;
/** What ICU takes for no sentence's end: an ellipsis in one character. */
const AFTER_ELLIPSIS = /(?<=…["'”’»)）」』]*)\s*(?=[\p{Lu}¿¡«“"\p{Script=Han}])/gu;

function goesOn(sentence: string, next: string, language: Language): boolean {
  if ([ABBREVIATION[language], INITIALS, ONLY_NUMBER].some((pattern) => pattern.test(sentence))) return true;
  if (BEFORE_NUMBER.test(sentence) && /^\d/u.test(next)) return true;
  if (!HESITATION.test(sentence)) return false;
  return language === 'zh'
    ? (sentence.match(/\p{L}/gu)?.length ?? 0) < LEAST_HESITATION_CHARACTERS
    : sentence.split(/\s+/u).length < LEAST_HESITATION;
}

const segmenters = new Map<Language, Intl.Segmenter>();

function segmenterFor(language: Language): Intl.Segmenter {
  const segmenter = segmenters.get(language) ?? new Intl.Segmenter(language, { granularity: 'sentence' });
  segmenters.set(language, segmenter);
  return segmenter;
}

/**
 * Where sentences end behind words [from, ∞): the index of the word after each, the last being the number of words
 * (whether or not that sentence is finished). Each sentence holds a letter or a digit, if any of the words does. None
 * ends inside a word. Empty if there are no words.
 */
export function sentenceEnds(words: readonly Word[], from: number, language: Language): readonly number[] {
  if (from >= words.length) return [];
  // Offset in the text, behind a word → index of the word after it.
  const ends = new Map<number, number>();
  let text = '';
  for (let index = from; index < words.length; index += 1) {
    text += words[index]?.text ?? '';
    ends.set(text.trimEnd().length, index + 1);
  }

  const found: number[] = [];
  let began = 0;
  const offsets = [
    ...Array.from(segmenterFor(language).segment(text), ({ index, segment }) => index + segment.length),
    ...Array.from(text.matchAll(AFTER_ELLIPSIS), ({ index }) => index),
  ].sort((a, b) => a - b);
  for (const offset of offsets) {
    const end = text.slice(0, offset).trimEnd().length;
    const index = ends.get(end);
    const sentence = text.slice(began, end).trim();
    const next = text.slice(end);
    if (index === undefined || !SPEAKS.test(sentence) || goesOn(sentence, next.trimStart(), language))
      continue;
    // Closing marks that stand alone belong to what they close; the rest must hold words.
    if (!SPEAKS.test(next)) break;
    found.push(index);
    began = end;
  }
  return [...found, words.length];
}
