/** Frame-wise scores of a voice detector. Spans are [start, end] in seconds. */
export type Span = readonly [number, number];

export interface FrameScores {
  readonly frames: number;
  /** Area under the receiver operating characteristic; NaN unless there are frames of both kinds. */
  readonly auc: number;
  readonly precision: number;
  readonly recall: number;
}

/** `labels[i]` says whether frame i is speech, `probabilities[i]` what the detector says. */
export function scoreFrames(
  probabilities: readonly number[],
  labels: readonly boolean[],
  threshold: number,
): FrameScores {
  const sorted = probabilities
    .map((probability, i) => ({ probability, speech: labels[i] ?? false }))
    .sort((a, b) => a.probability - b.probability);
  // Mann-Whitney: the sum of the ranks of speech frames, ties sharing their mean rank.
  let rankSum = 0;
  let speech = 0;
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (sorted[end]?.probability === sorted[i]?.probability && end < sorted.length) end++;
    for (const frame of sorted.slice(i, end)) {
      if (!frame.speech) continue;
      rankSum += (i + 1 + end) / 2;
      speech++;
    }
    i = end;
  }
  const silence = sorted.length - speech;
  const found = sorted.filter((frame) => frame.probability >= threshold);
  const hits = found.filter((frame) => frame.speech).length;
  return {
    frames: sorted.length,
    auc: (rankSum - (speech * (speech + 1)) / 2) / (speech * silence),
    precision: hits / found.length,
    recall: hits / speech,
  };
}

/** Overlapping spans joined, in order. */
export function union(spans: readonly Span[]): Span[] {
  const joined: [number, number][] = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

/** Seconds of `of` that lie in `spans`, both without overlaps. */
export const covered = (of: readonly Span[], spans: readonly Span[]): number =>
  of.reduce(
    (sum, [from, to]) =>
      sum +
      spans.reduce((part, [start, end]) => part + Math.max(0, Math.min(to, end) - Math.max(from, start)), 0),
    0,
  );

export const length = (spans: readonly Span[]): number =>
  spans.reduce((sum, [start, end]) => sum + end - start, 0);

/** Spans of the SPEAKER lines of an RTTM file. */
export const parseRttm = (text: string): Span[] =>
  text
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([kind]) => kind === 'SPEAKER')
    .map((fields) => [Number(fields[3]), Number(fields[3]) + Number(fields[4])]);
