/** One decoded token and the natural-log probability the model gave it. */
export interface Choice {
  readonly token: number;
  readonly logProbability: number;
}

const logSumExp = (logits: Float32Array, scale: number, highest: number): number => {
  let sum = 0;
  for (const logit of logits) sum += Math.exp((logit - highest) * scale);
  return Math.log(sum);
};

const indexOfHighest = (logits: Float32Array): number => {
  let best = 0;
  let highest = -Infinity;
  for (let index = 0; index < logits.length; index += 1) {
    const logit = logits[index] ?? -Infinity;
    if (logit > highest) {
      highest = logit;
      best = index;
    }
  }
  return best;
};

/**
 * Picks the next token from one row of logits (index = token id, `-Infinity` = not allowed).
 * Temperature 0 takes the likeliest; above, samples from the sharpened or flattened distribution.
 * The log probability is always that at temperature 1, so that results can be compared.
 *
 * @param random a number in [0, 1); only asked for when sampling
 */
export function chooseToken(logits: Float32Array, temperature: number, random: () => number): Choice {
  const best = indexOfHighest(logits);
  const highest = logits[best] ?? 0;
  const total = logSumExp(logits, 1, highest);
  const choice = (token: number): Choice => ({
    token,
    logProbability: (logits[token] ?? -Infinity) - highest - total,
  });
  if (temperature <= 0) return choice(best);
  let left = random() * Math.exp(logSumExp(logits, 1 / temperature, highest));
  for (let token = 0; token < logits.length; token += 1) {
    left -= Math.exp(((logits[token] ?? -Infinity) - highest) / temperature);
    if (left < 0) return choice(token);
  }
  return choice(best);
}

/** 0 for no values. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Probability of one token among all of a row of logits. */
export function probabilityOf(logits: Float32Array, token: number): number {
  const highest = logits[indexOfHighest(logits)] ?? 0;
  return Math.exp((logits[token] ?? -Infinity) - highest - logSumExp(logits, 1, highest));
}

/** The candidate whose token scores highest; the first wins a tie. */
export function likeliest<T>(
  candidates: readonly T[],
  logits: Float32Array,
  tokenOf: (candidate: T) => number,
): T {
  const score = (candidate: T) => logits[tokenOf(candidate)] ?? -Infinity;
  return candidates.reduce((best, candidate) => (score(candidate) > score(best) ? candidate : best));
}
