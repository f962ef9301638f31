/**
 * The pairing of rows with columns that has the greatest sum of weights (Kuhn 1955, Munkres 1957; shortest augmenting
 * paths, O(n³)). Pairs of no or negative weight are not made.
 * @param weights rows × columns; all rows of one length.
 * @returns the column of each row, -1 for rows without one.
 */
export function bestPairs(weights: readonly (readonly number[])[]): number[] {
  const rows = weights.length;
  const columns = weights[0]?.length ?? 0;
  const size = Math.max(rows, columns);
  const cost = (row: number, column: number): number => -Math.max(0, weights[row]?.[column] ?? 0);

  // Index 0 is the unmatched dummy of the algorithm; rows and columns count from 1.
  const rowPotential = new Float64Array(size + 1);
  const columnPotential = new Float64Array(size + 1);
  const rowOf = new Int32Array(size + 1);
  const previous = new Int32Array(size + 1);
  for (let row = 1; row <= size; row++) {
    const slack = new Float64Array(size + 1).fill(Infinity);
    const visited = new Uint8Array(size + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      visited[column] = 1;
      const current = rowOf[column]!;
      let delta = Infinity;
      let next = 0;
      for (let j = 1; j <= size; j++) {
        if (visited[j]) continue;
        const reduced = cost(current - 1, j - 1) - rowPotential[current]! - columnPotential[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if (slack[j]! < delta) {
          delta = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= size; j++) {
        if (visited[j]) {
          rowPotential[rowOf[j]!]! += delta;
          columnPotential[j]! -= delta;
        } else slack[j]! -= delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const before = previous[column]!;
      rowOf[column] = rowOf[before]!;
      column = before;
    }
  }

  const pairs = Array.from({ length: rows }, () => -1);
  for (let j = 1; j <= columns; j++) {
    const row = rowOf[j]! - 1;
    if (row < rows && (weights[row]?.[j - 1] ?? 0) > 0) pairs[row] = j - 1;
  }
  return pairs;
}
