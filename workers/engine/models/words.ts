/** A word and the range of tokens [first, end) it is spoken in: punctuation after it has no sound. */
export interface TokenWord {
  readonly text: string;
  readonly firstToken: number;
  readonly endToken: number;
}

/** Scripts written without spaces: every token is shown as a word of its own. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const PUNCTUATION_ONLY = /^[\p{P}\p{S}\s]+$/u;
const INCOMPLETE = '\uFFFD';

/** Groups byte-level tokens until each group is whole characters (a character may be 3 tokens). */
function pieces(tokens: readonly number[], decode: (tokens: number[]) => string): TokenWord[] {
  const found: TokenWord[] = [];
  let firstToken = 0;
  for (let endToken = 1; endToken <= tokens.length; endToken += 1) {
    const text = decode(tokens.slice(firstToken, endToken));
    if (text.includes(INCOMPLETE) && endToken < tokens.length) continue;
    found.push({ text, firstToken, endToken });
    firstToken = endToken;
  }
  return found;
}

/**
 * Joins tokens into words: a new word starts at a space, and around every piece of a script
 * without spaces; punctuation stays with the word before it. Joining the words gives the text.
 *
 * @param decode the tokenizer's text of some tokens, leading space kept, U+FFFD for cut characters
 */
export function wordsOfTokens(tokens: readonly number[], decode: (tokens: number[]) => string): TokenWord[] {
  const words: TokenWord[] = [];
  for (const piece of pieces(tokens, decode)) {
    const last = words.at(-1);
    const silent = PUNCTUATION_ONLY.test(piece.text);
    const spaced = !UNSPACED.test(last?.text ?? '') && !UNSPACED.test(piece.text);
    if (last === undefined || /^\s/u.test(piece.text) || !(silent || spaced)) {
      words.push(piece);
    } else {
      const endToken = silent ? last.endToken : piece.endToken;
      words[words.length - 1] = { ...last, text: last.text + piece.text, endToken };
    }
  }
  return words;
}

/** Probability of a word: that of its least likely token. */
export const leastProbability = (word: TokenWord | undefined, logProbabilities: readonly number[]): number =>
  Math.exp(Math.min(0, ...logProbabilities.slice(word?.firstToken ?? 0, word?.endToken)));
