import type { Word } from './types.ts';

/** What two spellings of one word have in common: letters and digits, without case or punctuation. */
export const normaliseWord = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');

/** Whether two words are one word in two spellings. */
export const sameWord = (a: Word | undefined, b: Word | undefined): boolean =>
  a !== undefined && b !== undefined && normaliseWord(a.text) === normaliseWord(b.text);

export interface PrefixAlignment {
  /** How many of the hypothesis' first words say what the committed words say. */
  readonly prefixLength: number;
  /** For each committed word the index of its counterpart in the hypothesis, null if it has none. */
  readonly counterparts: readonly (number | null)[];
}

/**
 * Finds the prefix of `hypothesis` with the least word edit distance to `committed`, so that what
 * follows it continues the committed words without repeating or losing any. Among equals the
 * prefix nearest in length wins, then the longer one. O(committed × hypothesis).
 */
export function alignPrefix(committed: readonly Word[], hypothesis: readonly Word[]): PrefixAlignment {
  const rows = committed.map((word) => normaliseWord(word.text));
  const columns = hypothesis.map((word) => normaliseWord(word.text));
  const width = columns.length + 1;
  const cost = new Uint32Array((rows.length + 1) * width);
  const at = (row: number, column: number): number => cost[row * width + column] ?? 0;
  for (let column = 1; column < width; column += 1) cost[column] = column;
  for (let row = 1; row <= rows.length; row += 1) {
    cost[row * width] = row;
    for (let column = 1; column < width; column += 1) {
      const replace = at(row - 1, column - 1) + (rows[row - 1] === columns[column - 1] ? 0 : 1);
      cost[row * width + column] = Math.min(replace, at(row - 1, column) + 1, at(row, column - 1) + 1);
    }
  }

  let prefixLength = 0;
  const rank = (length: number): number =>
    at(rows.length, length) * width * 2 + Math.abs(length - rows.length) * 2 - (length > rows.length ? 1 : 0);
  for (let length = 1; length < width; length += 1) {
    if (rank(length) < rank(prefixLength)) prefixLength = length;
  }

  const counterparts = new Array<number | null>(rows.length).fill(null);
  let column = prefixLength;
  for (let row = rows.length; row > 0;) {
    const here = at(row, column);
    const same = column > 0 && rows[row - 1] === columns[column - 1];
    if (column > 0 && here === at(row - 1, column - 1) + (same ? 0 : 1)) {
      counterparts[row - 1] = column - 1;
      row -= 1;
      column -= 1;
    } else if (here === at(row - 1, column) + 1) {
      row -= 1;
    } else {
      column -= 1;
    }
  }
  return { prefixLength, counterparts };
}
