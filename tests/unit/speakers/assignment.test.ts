import { expect, test } from 'vitest';
import fc from 'fast-check';
import { bestPairs } from '@core/speakers/assignment.ts';

const weightOf = (weights: readonly (readonly number[])[], pairs: readonly number[]): number =>
  pairs.reduce((sum, column, row) => sum + (weights[row]?.[column] ?? 0), 0);

/** The greatest sum, by trying everything. */
function greatest(weights: readonly (readonly number[])[], row = 0, taken = new Set<number>()): number {
  if (row === weights.length) return 0;
  const without = greatest(weights, row + 1, taken);
  return weights[row]!.reduce(
    (best, weight, column) =>
      taken.has(column)
        ? best
        : Math.max(best, weight + greatest(weights, row + 1, new Set([...taken, column]))),
    without,
  );
}

test('pairs have the greatest sum, each row and column once, and none without weight', () => {
  const matrix = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
    .chain(([rows, columns]) =>
      fc.array(fc.array(fc.integer({ min: -5, max: 20 }), { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
  fc.assert(
    fc.property(matrix, (weights) => {
      const pairs = bestPairs(weights);
      expect(pairs).toHaveLength(weights.length);
      const made = pairs.filter((column) => column >= 0);
      expect(new Set(made).size).toBe(made.length);
      pairs.forEach((column, row) => {
        if (column >= 0) expect(weights[row]![column]).toBeGreaterThan(0);
      });
      expect(weightOf(weights, pairs)).toBe(greatest(weights));
    }),
  );
});
