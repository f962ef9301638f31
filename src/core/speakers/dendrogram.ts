import { dot, type Voice } from './embedding.ts';

/** Two clusters become one. A cluster goes by the lowest index in it. */
export interface Merge {
  readonly into: number;
  readonly from: number;
  /** Mean cosine distance between their voices, 0 to 2, weighted by time. */
  readonly distance: number;
}

/**
 * All merges of average linkage (Sokal and Michener 1958), the closest first. Nearest-neighbour chains (Murtagh 1983;
 * Müllner 2011) find them in O(n²) time and n²/2 floats: 5,000 voices take 50 MB. Ties go to the lower index.
 *
 * Clusters with a pair that cannot be one person are infinitely far from each other, now and after any merge, so that
 * they are never merged: the result may be several trees.
 */
export function averageLinkage(
  voices: readonly Voice[],
  cannotLink: readonly (readonly [number, number])[],
): Merge[] {
  const count = voices.length;
  const distances = new Float32Array((count * (count - 1)) / 2);
  const at = (a: number, b: number): number => {
    const [low, high] = a < b ? [a, b] : [b, a];
    return low * count - (low * (low + 1)) / 2 + high - low - 1;
  };
  for (let a = 0, index = 0; a < count; a++) {
    const { embedding } = voices[a]!;
    for (let b = a + 1; b < count; b++) distances[index++] = 1 - dot(embedding, voices[b]!.embedding);
  }
  for (const [a, b] of cannotLink) if (a !== b) distances[at(a, b)] = Infinity;

  const weights = voices.map(({ ms }) => Math.max(1, ms));
  const heights = new Float32Array(count);
  const open = new Set(voices.keys());
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (open.size > 1) {
    if (chain.length === 0) chain.push(open.values().next().value!);
    const last = chain.at(-1)!;
    // Only what is strictly closer than the way back goes on: the chain ends even where distances are equal.
    let nearest = chain.at(-2) ?? -1;
    let distance = nearest < 0 ? Infinity : distances[at(last, nearest)]!;
    for (const other of open) {
      if (other === last) continue;
      const candidate = distances[at(last, other)]!;
      if (candidate < distance) {
        distance = candidate;
        nearest = other;
      }
    }
    if (nearest < 0) {
      open.delete(chain.pop()!);
    } else if (nearest !== chain.at(-2)) {
      chain.push(nearest);
    } else {
      chain.length -= 2;
      const [into, from] = last < nearest ? [last, nearest] : [nearest, last];
      open.delete(from);
      const total = weights[into]! + weights[from]!;
      for (const other of open) {
        if (other === into) continue;
        const index = at(into, other);
        distances[index] =
          (weights[into]! * distances[index]! + weights[from]! * distances[at(from, other)]!) / total;
      }
      weights[into] = total;
      // Rounding must not put a merge before the merges it is made of.
      heights[into] = Math.max(distance, heights[into]!, heights[from]!);
      merges.push({ into, from, distance: heights[into] });
    }
  }
  return merges.sort((a, b) => a.distance - b.distance);
}
