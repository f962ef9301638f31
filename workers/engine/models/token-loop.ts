import { chooseToken } from './scores.ts';

export interface DecodedTokens {
  /** Without prompt and end of text. */
  readonly tokens: readonly number[];
  /** Natural-log probability of each token and of the end of text, if that was reached. */
  readonly logProbabilities: readonly number[];
  /** Stopped by the limit instead of by the end of text. */
  readonly truncated: boolean;
}

export interface DecodeLimits {
  readonly endOfText: number;
  readonly maxTokens: number;
  /** See {@link chooseToken}. */
  readonly temperature: number;
  readonly random: () => number;
  /** Takes the scores of tokens that must not come next away; `tokens` are those decoded so far. */
  readonly mask: (logits: Float32Array, tokens: readonly number[]) => Float32Array;
}

/**
 * Decodes token by token until the end of text or the limit.
 *
 * @param firstRow logits after the prompt
 * @param next reads one more token; returns the logits after it
 */
export async function decodeTokens(
  firstRow: Float32Array,
  next: (token: number) => Promise<Float32Array>,
  limits: DecodeLimits,
): Promise<DecodedTokens> {
  const tokens: number[] = [];
  let row = firstRow;
  const logProbabilities: number[] = [];
  for (;;) {
    const choice = chooseToken(limits.mask(row, tokens), limits.temperature, limits.random);
    logProbabilities.push(choice.logProbability);
    const ended = choice.token === limits.endOfText;
    if (!ended) tokens.push(choice.token);
    const truncated = !ended && tokens.length >= limits.maxTokens;
    if (ended || truncated) {
      return { tokens, logProbabilities, truncated };
    }
    row = await next(choice.token);
  }
}
