/** What a model makes of a voice: a unit-length vector; voices are compared by the cosine, here the dot product. */
export type Embedding = Float32Array;

/** A voice heard for some time. */
export interface Voice {
  readonly embedding: Embedding;
  /** Speech the embedding was made from, ms: its weight. */
  readonly ms: number;
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Sum of `a` and `factor` times `b`. */
export const addScaled = (a: Float32Array, b: Float32Array, factor: number): Float32Array =>
  a.map((value, i) => value + factor * b[i]!);

/** In the same direction, of length 1; a vector without length stays one. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((value) => value / length) : vector.slice();
}

/** The direction of the voices' sum, each weighted by its time. There must be at least one. */
export const centroidOf = (voices: readonly Voice[]): Embedding => unit(sumOf(voices));

/** The sum of the voices' embeddings, each times its ms. There must be at least one. */
export const sumOf = (voices: readonly Voice[]): Float32Array =>
  voices.reduce<Float32Array>(
    (sum, { embedding, ms }) => addScaled(sum, embedding, ms),
    new Float32Array(voices[0]?.embedding.length ?? 0),
  );
