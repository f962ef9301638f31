import { Converter } from 'opencc-js/t2cn';

/**
 * Word and character error rates. Text is normalised before it is compared: case, punctuation and the
 * spelling of English contractions are no recognition errors. Numbers stay as they are written.
 */

/** How a hypothesis differs from its reference, in words or, for Chinese, in characters. */
export interface Score {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  /** Units in the reference. */
  readonly units: number;
}

/**
 * English contractions, longest first, in the order and spelling of OpenAI Whisper's
 * `whisper/normalizers/english.py`. Only what one speaker may write in two ways is taken over: its
 * filler words, titles and British spellings would hide errors that a reader sees.
 */
const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bwon't\b/gu, 'will not'],
  [/\bcan't\b/gu, 'can not'],
  [/\bcannot\b/gu, 'can not'],
  [/\blet's\b/gu, 'let us'],
  [/n't\b/gu, ' not'],
  [/'re\b/gu, ' are'],
  [/'s\b/gu, ' is'],
  [/'d\b/gu, ' would'],
  [/'ll\b/gu, ' will'],
  [/'ve\b/gu, ' have'],
  [/'m\b/gu, ' am'],
];

const toSimplified = Converter({ from: 't', to: 'cn' });

/** Lower case, without punctuation; accents are kept, they are part of the spelling. */
function bareWords(text: string, language: string): string[] {
  let bare = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’‘ʼ`]/gu, "'");
  if (language === 'en') for (const [short, long] of CONTRACTIONS) bare = bare.replace(short, long);
  return bare
    .replace(/'/gu, language === 'fr' ? ' ' : '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
    .filter((word) => word !== '');
}

/**
 * The units that are compared: words, or for Chinese single characters after conversion to simplified
 * ones (Latin words and numbers inside Chinese text count per character too).
 */
export function unitsOf(text: string, language: string): string[] {
  if (language !== 'zh') return bareWords(text, language);
  return Array.from(bareWords(toSimplified(text), language).join(''));
}

/** Levenshtein alignment with the fewest edits; where several have, substitutions are preferred. */
export function align(reference: readonly string[], hypothesis: readonly string[]): Score {
  let row: Score[] = [{ substitutions: 0, deletions: 0, insertions: 0, units: reference.length }];
  for (let h = 0; h < hypothesis.length; h++) row.push({ ...row[h]!, insertions: h + 1 });
  for (let r = 0; r < reference.length; r++) {
    const next: Score[] = [{ ...row[0]!, deletions: r + 1 }];
    for (let h = 0; h < hypothesis.length; h++) {
      const same = reference[r] === hypothesis[h];
      const diagonal = row[h]!;
      const best = [
        same ? diagonal : { ...diagonal, substitutions: diagonal.substitutions + 1 },
        { ...row[h + 1]!, deletions: row[h + 1]!.deletions + 1 },
        { ...next[h]!, insertions: next[h]!.insertions + 1 },
      ].reduce((least, candidate) => (edits(candidate) < edits(least) ? candidate : least));
      next.push(best);
    }
    row = next;
  }
  return row[hypothesis.length]!;
}

const edits = ({ substitutions, deletions, insertions }: Score): number =>
  substitutions + deletions + insertions;

/** Word error counts, or character error counts for `zh`. `language` is an ISO 639-1 code. */
export const score = (reference: string, hypothesis: string, language: string): Score =>
  align(unitsOf(reference, language), unitsOf(hypothesis, language));

/** Errors per reference unit, in percent. Above 100 is possible; an empty reference with text is infinite. */
export function errorRatePercent(value: Score): number {
  const errors = edits(value);
  return errors === 0 ? 0 : (100 * errors) / value.units;
}

/** The scores of a corpus together: errors and units are added, so that a long clip weighs more. */
export const total = (scores: readonly Score[]): Score =>
  scores.reduce(
    (sum, one) => ({
      substitutions: sum.substitutions + one.substitutions,
      deletions: sum.deletions + one.deletions,
      insertions: sum.insertions + one.insertions,
      units: sum.units + one.units,
    }),
    { substitutions: 0, deletions: 0, insertions: 0, units: 0 },
  );
