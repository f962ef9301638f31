import { averageLinkage, type Merge } from './dendrogram.ts';
import { centroidOf, dot, type Embedding, type Voice } from './embedding.ts';
import { mostSpeakers, type SpeakerCount } from './turns.ts';

export interface ClusteringOptions {
  /** Mean cosine distance up to which clusters are one speaker; it belongs to the embedding model. */
  readonly threshold: number;
  /** Who has less speech in all is no speaker, ms. The longest speaker always is one. */
  readonly minClusterMs: number;
  /** Cosine distance to a speaker's centroid up to which voices of too small clusters join him; without one, any. */
  readonly joinDistance?: number;
  readonly speakers?: SpeakerCount;
}

export interface Clustering {
  /** Cluster of each voice, counted from 0 in the order of appearance; null for voices of nobody known. */
  readonly labels: readonly (number | null)[];
  /** Of unit length, by label. */
  readonly centroids: readonly Embedding[];
}

/**
 * Groups the voices of a whole recording by speaker: agglomerative clustering of embeddings, as in pyannote.audio
 * (Bredin 2023), with average linkage. Pairs in `cannotLink` are never given one label, and there are never more labels
 * than `speakers` allows: what does not fit is null. The same input always gives the same labels.
 *
 * @param cannotLink pairs of indices of voices that speak at the same time.
 */
export function clusterVoices(
  voices: readonly Voice[],
  cannotLink: readonly (readonly [number, number])[],
  options: ClusteringOptions,
): Clustering {
  const merges = averageLinkage(voices, cannotLink);
  const clusters = cut(voices, merges, chooseCut(voices, merges, options));
  const ms = clusters.map((members) => members.reduce((sum, index) => sum + voices[index]!.ms, 0));
  const bySize = [...clusters.keys()].sort((a, b) => ms[b]! - ms[a]!);
  const speakers = bySize
    .filter((cluster, rank) => rank === 0 || ms[cluster]! >= options.minClusterMs)
    .slice(0, mostSpeakers(options.speakers))
    .map((cluster) => clusters[cluster]!);

  const labels: (number | null)[] = voices.map(() => null);
  speakers.forEach((members, label) => members.forEach((index) => (labels[index] = label)));
  const centroids = speakers.map((members) => centroidOf(members.map((index) => voices[index]!)));
  joinRest(voices, labels, centroids, cannotLink, options.joinDistance ?? Infinity);
  return inOrderOfAppearance(labels, centroids);
}

/** How many of the merges are made: up to the threshold, or else so that the count is met as well as can be. */
function chooseCut(
  voices: readonly Voice[],
  merges: readonly Merge[],
  { threshold, minClusterMs, speakers }: ClusteringOptions,
): number {
  const beyond = merges.findIndex(({ distance }) => distance > threshold);
  const natural = beyond < 0 ? merges.length : beyond;
  if (speakers === undefined) return natural;

  const ms = voices.map((voice) => voice.ms);
  const isSpeaker = (index: number): number => (ms[index]! >= minClusterMs ? 1 : 0);
  const counts = [voices.reduce((sum, _, index) => sum + isSpeaker(index), 0)];
  for (const { into, from } of merges) {
    const before = isSpeaker(into) + isSpeaker(from);
    ms[into]! += ms[from]!;
    counts.push(counts.at(-1)! - before + isSpeaker(into));
  }
  const wanted = mostSpeakers(speakers);
  const excess = (made: number): number =>
    'exactly' in speakers ? Math.abs(counts[made]! - wanted) : Math.max(0, counts[made]! - wanted);
  let best = natural;
  for (let made = 0; made < counts.length; made++) {
    const better = excess(made) - excess(best) || Math.abs(made - natural) - Math.abs(best - natural);
    if (better < 0) best = made;
  }
  return best;
}

/** The clusters after the first `made` merges: indices of voices, ascending. */
function cut(voices: readonly Voice[], merges: readonly Merge[], made: number): number[][] {
  const clusters = new Map([...voices.keys()].map((index) => [index, [index]]));
  for (const { into, from } of merges.slice(0, made)) {
    clusters.get(into)!.push(...clusters.get(from)!);
    clusters.delete(from);
  }
  return [...clusters.values()].map((members) => members.sort((a, b) => a - b));
}

/** Voices without a label get that of the nearest centroid, those with the most speech first. */
function joinRest(
  voices: readonly Voice[],
  labels: (number | null)[],
  centroids: readonly Embedding[],
  cannotLink: readonly (readonly [number, number])[],
  joinDistance: number,
): void {
  const apart = new Map<number, number[]>();
  for (const [a, b] of cannotLink) {
    apart.set(a, [...(apart.get(a) ?? []), b]);
    apart.set(b, [...(apart.get(b) ?? []), a]);
  }
  const rest = [...voices.keys()].filter((index) => labels[index] === null);
  for (const index of rest.sort((a, b) => voices[b]!.ms - voices[a]!.ms || a - b)) {
    const taken = new Set(apart.get(index)?.map((other) => labels[other]));
    let nearest = joinDistance;
    centroids.forEach((centroid, label) => {
      const distance = 1 - dot(voices[index]!.embedding, centroid);
      if (taken.has(label) || distance > nearest || (distance === nearest && labels[index] !== null)) return;
      nearest = distance;
      labels[index] = label;
    });
  }
}

function inOrderOfAppearance(
  labels: readonly (number | null)[],
  centroids: readonly Embedding[],
): Clustering {
  const order = [...new Set(labels.filter((label) => label !== null))];
  return {
    labels: labels.map((label) => (label === null ? null : order.indexOf(label))),
    centroids: order.map((label) => centroids[label]!),
  };
}
