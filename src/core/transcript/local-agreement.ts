import { alignPrefix, sameWord } from './alignment.ts';
import type { Language, Word } from './types.ts';

/**
 * Agreement alone does not make a word right: read from the beginning of a sentence, a name is misheard twice the same
 * way. In four languages the words that the whole utterance corrected had less than this; those it confirmed, mostly more.
 */
const SURE_PROBABILITY = 0.4;
/** Mean of words that are kept although the final hypothesis leaves them out: text read from noise has less. */
const LIKELY_PROBABILITY = 0.5;

/** Whisper's word times are about this exact. */
const TIME_ERROR_MS = 100;

/**
 * What is known of a running utterance. LocalAgreement-2 (Macháček, Dabre, Bojar 2023, "Turning
 * Whisper into Real-Time Transcription System"): a word is committed once two consecutive
 * hypotheses agree on it and on all words before it, and both are sure of it.
 */
export interface Agreement {
  /** Words that never change again. */
  readonly committed: readonly Word[];
  /** What the last hypothesis says after the committed words. */
  readonly tentative: readonly Word[];
  /** Language of the last hypothesis; null before the first and after one that was refused. */
  readonly language: Language | null;
}

export const NOTHING_HEARD: Agreement = { committed: [], tentative: [], language: null };

/**
 * Folds the next hypothesis in. Words are compared without case and punctuation and kept in the
 * later spelling. Nothing is committed across a change of the detected language.
 * @param complete the audio ends in a pause: the last word is whole. Otherwise it may be cut off
 *   and is held back.
 */
export function agree(
  before: Agreement,
  hypothesis: { readonly language: Language; readonly words: readonly Word[] },
  complete: boolean,
): Agreement {
  const { prefixLength } = alignPrefix(before.committed, hypothesis.words);
  const rest = hypothesis.words.slice(prefixLength);
  let agreed = 0;
  if (before.language === hypothesis.language) {
    const limit = Math.min(before.tentative.length, complete ? rest.length : rest.length - 1);
    while (agreed < limit && surelySame(before.tentative[agreed], rest[agreed])) agreed += 1;
  }
  return {
    committed: [...before.committed, ...rest.slice(0, agreed)],
    tentative: rest.slice(agreed),
    language: hypothesis.language,
  };
}

function isLeftOut(words: readonly Word[], by: readonly Word[]): boolean {
  const beginsMs = by[0]?.startMs ?? null;
  const endsMs = words.at(-1)?.endMs ?? null;
  if (beginsMs === null || endsMs === null || endsMs > beginsMs + TIME_ERROR_MS) return false;
  const mean = words.reduce((sum, { probability = 1 }) => sum + probability, 0) / words.length;
  return mean >= LIKELY_PROBABILITY;
}

const surelySame = (first: Word | undefined, second: Word | undefined): boolean =>
  sameWord(first, second) && isSure(first) && isSure(second);

const isSure = (word: Word | undefined): boolean => (word?.probability ?? 1) >= SURE_PROBABILITY;

/** A hypothesis was refused: what was committed stays, and the next agreement starts anew. */
export const refuse = (before: Agreement): Agreement => ({ ...NOTHING_HEARD, committed: before.committed });

/**
 * The utterance's words: the committed ones as they are, with the times of their counterparts in
 * the final hypothesis, then what the final hypothesis says after them. Whisper tiny sometimes skips a first short
 * sentence that it had read before the second one was there: what was heard in a time that the final hypothesis leaves out stays.
 */
export function conclude(
  { committed, tentative }: Pick<Agreement, 'committed' | 'tentative'>,
  final: readonly Word[],
): readonly Word[] {
  const { prefixLength, counterparts } = alignPrefix(committed, final);
  const timed = committed.map((word, index) => {
    const counterpart = final[counterparts[index] ?? -1];
    return counterpart ? { ...counterpart, text: word.text } : word;
  });
  const rest = final.slice(prefixLength);
  const skipped = isLeftOut(tentative, rest) ? tentative : [];
  return [...timed, ...skipped, ...rest];
}
