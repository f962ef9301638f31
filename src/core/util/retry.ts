const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** How long to wait with the next try after something that has failed, and before that `failures` times in a row. Ms. */
export const retryAfterMs = (failures: number): number => Math.min(FIRST_MS * 2 ** failures, LONGEST_MS);
