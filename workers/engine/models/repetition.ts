/** What a token loses that was said already: Keskar et al. 2019 (CTRL) found 1.2 a good balance. */
const PENALTY = 1.2;

/**
 * Makes tokens that were said already less likely, and bars each that would complete three tokens in a row for the
 * second time. In place.
 *
 * @param row scores of the next token
 * @param tokens what was decoded so far
 */
export function discourageRepetition(row: Float32Array, tokens: readonly number[]): void {
  for (const token of new Set(tokens)) {
    const score = row[token] ?? 0;
    row[token] = score < 0 ? score * PENALTY : score / PENALTY;
  }
  const [beforeLast, last] = tokens.slice(-2);
  for (let at = 2; at < tokens.length; at += 1) {
    if (tokens[at - 2] === beforeLast && tokens[at - 1] === last) row[tokens[at]!] = -Infinity;
  }
}
