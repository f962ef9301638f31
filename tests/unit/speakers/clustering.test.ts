import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { clusterVoices, type ClusteringOptions } from '@core/speakers/clustering.ts';
import { averageLinkage } from '@core/speakers/dendrogram.ts';
import { dot, unit, type Voice } from '@core/speakers/embedding.ts';
import { anyVoice, between, voice } from '../../support/voices.ts';

const OPTIONS: ClusteringOptions = { threshold: 0.5, minClusterMs: 2000 };

const labels = (
  voices: readonly Voice[],
  options: Partial<ClusteringOptions> = {},
  cannotLink: readonly (readonly [number, number])[] = [],
): readonly (number | null)[] => clusterVoices(voices, cannotLink, { ...OPTIONS, ...options }).labels;

/** Average linkage by definition: the mean over all pairs, looked for again after each merge. */
function naiveDistances(voices: readonly Voice[]): number[] {
  let clusters = voices.map((one) => [one]);
  const mean = (a: readonly Voice[], b: readonly Voice[]): number => {
    let [sum, weight] = [0, 0];
    for (const x of a)
      for (const y of b) {
        sum += x.ms * y.ms * (1 - dot(x.embedding, y.embedding));
        weight += x.ms * y.ms;
      }
    return sum / weight;
  };
  const distances: number[] = [];
  while (clusters.length > 1) {
    let [best, i, j] = [Infinity, 0, 0];
    clusters.forEach((a, x) =>
      clusters.forEach((b, y) => {
        if (x < y && mean(a, b) < best) [best, i, j] = [mean(a, b), x, y];
      }),
    );
    distances.push(best);
    const merged = [...clusters[i]!, ...clusters[j]!];
    clusters = [...clusters.filter((_, index) => index !== i && index !== j), merged];
  }
  return distances;
}

describe('clustering of voices', () => {
  test('who comes back later is the same speaker, numbered in the order of appearance', () => {
    const people = [2, 2, 0, 2, 1, 0, 1];
    expect(labels(people.map((person, take) => voice(person, 3000, 0.4, take)))).toEqual([
      0, 0, 1, 0, 2, 1, 2,
    ]);
  });

  test('a few noises are no speaker: they join the nearest, or nobody where nobody is near', () => {
    const voices = [voice(0), voice(0), voice(1), voice(1), between(1, 5, 0.7, 800), voice(7, 500)];
    expect(labels(voices)).toEqual([0, 0, 1, 1, 1, 0]);
    expect(labels(voices, { joinDistance: 0.7 })).toEqual([0, 0, 1, 1, 1, null]);
  });

  test('the only one who speaks is a speaker, however short', () => {
    expect(labels([voice(3, 400)])).toEqual([0]);
    expect(labels([])).toEqual([]);
  });

  test('two who speak at once are two, however alike they sound', () => {
    const twins = [voice(0), between(0, 1, 0.1), voice(0), between(0, 1, 0.1)];
    expect(labels(twins)).toEqual([0, 0, 0, 0]);
    const [a, b, c, d] = labels(twins, {}, [
      [0, 1],
      [2, 3],
      [0, 3],
      [1, 2],
    ]);
    expect([a, b]).toEqual([c, d]);
    expect(a).not.toBe(b);
  });

  test('told that there are two, finds two: in similar voices more, in strange ones less', () => {
    const alike = [voice(0), between(0, 1, 0.3), voice(0), between(0, 1, 0.3)];
    expect(labels(alike)).toEqual([0, 0, 0, 0]);
    expect(labels(alike, { speakers: { exactly: 2 } })).toEqual([0, 1, 0, 1]);
    expect(labels(alike, { speakers: { atMost: 2 } })).toEqual([0, 0, 0, 0]);

    const strange = [voice(0), voice(1), between(0, 4, 0.5), between(1, 5, 0.6), voice(0), voice(1)];
    expect(new Set(labels(strange, { threshold: 0.2 })).size).toBe(4);
    expect(labels(strange, { threshold: 0.2, speakers: { exactly: 2 } })).toEqual([0, 1, 0, 1, 0, 1]);
  });

  test('told that there are two, short noises do not take the place of a speaker', () => {
    const voices = [voice(0), voice(9, 300), between(0, 1, 0.35), voice(0), between(0, 1, 0.35)];
    expect(labels(voices, { speakers: { exactly: 2 } }).toSpliced(1, 1)).toEqual([0, 1, 0, 1]);
  });

  test('merges are those of average linkage by its definition', () => {
    fc.assert(
      fc.property(fc.array(anyVoice, { minLength: 5, maxLength: 14 }), (heard) => {
        // Every voice a little different, so that no two distances are equal but for rounding.
        const voices = heard.map(({ embedding, ms }, index) => ({
          embedding: unit(embedding.map((value, i) => value + 0.2 * Math.sin(index * 7 + i * i))),
          ms,
        }));
        const made = averageLinkage(voices, []).map(({ distance }) => distance);
        const expected = naiveDistances(voices).sort((a, b) => a - b);
        expect(made).toHaveLength(expected.length);
        made.forEach((distance, index) => expect(distance).toBeCloseTo(expected[index]!, 4));
      }),
    );
  });

  test('whatever is heard: constraints and counts hold, the labels have no gaps, and come again', () => {
    const input = fc.array(anyVoice, { minLength: 1, maxLength: 25 }).chain((voices) =>
      fc.record({
        voices: fc.constant(voices),
        cannotLink: fc.array(fc.tuple(fc.nat(voices.length - 1), fc.nat(voices.length - 1)), {
          maxLength: 8,
        }),
        most: fc.integer({ min: 1, max: 5 }),
        exact: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(input, ({ voices, cannotLink, most, exact }) => {
        const speakers = exact ? { exactly: most } : { atMost: most };
        const found = clusterVoices(voices, cannotLink, { ...OPTIONS, speakers });
        for (const [a, b] of cannotLink)
          if (a !== b && found.labels[a] !== null) expect(found.labels[a]).not.toBe(found.labels[b]);
        const order = [...new Set(found.labels.filter((label) => label !== null))];
        expect(order).toEqual([...order.keys()]);
        expect(order.length).toBeLessThanOrEqual(most);
        expect(found.centroids).toHaveLength(order.length);
        expect(clusterVoices(voices, cannotLink, { ...OPTIONS, speakers })).toEqual(found);
      }),
    );
  });

  test('an hour of meeting is clustered while one waits', () => {
    const voices = Array.from({ length: 3000 }, (_, take) => voice(take % 5, 2000, 0.5, take));
    const found = labels(voices);
    expect(new Set(found).size).toBe(5);
    expect(found.every((label, index) => label === index % 5)).toBe(true);
  });
});
