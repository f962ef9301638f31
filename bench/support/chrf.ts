/** Longest character sequence counted; and how much more finding counts than inventing (Popović 2015: chrF2). */
const LONGEST = 6;
const BETA = 2;

function sequences(text: string, length: number): Map<string, number> {
  const characters = Array.from(text.replace(/\s/gu, ''));
  const counts = new Map<string, number>();
  for (let at = 0; at + length <= characters.length; at += 1) {
    const sequence = characters.slice(at, at + length).join('');
    counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
  }
  return counts;
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);

/** Character n-gram F-score of a whole set of translations, 0 to 100: 100 says what the references say. */
export function chrF(pairs: readonly { readonly translation: string; readonly reference: string }[]): number {
  const scores: number[] = [];
  for (let length = 1; length <= LONGEST; length += 1) {
    let [matched, said, wanted] = [0, 0, 0];
    for (const { translation, reference } of pairs) {
      const [ours, theirs] = [sequences(translation, length), sequences(reference, length)];
      matched += sum([...ours].map(([sequence, count]) => Math.min(count, theirs.get(sequence) ?? 0)));
      said += sum(ours.values());
      wanted += sum(theirs.values());
    }
    const [precision, recall] = [matched / Math.max(1, said), matched / Math.max(1, wanted)];
    scores.push(((1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall || 1));
  }
  return (100 * sum(scores)) / LONGEST;
}
