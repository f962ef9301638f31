/** What the clip says that every rung of the device ladder has to read right (`public/known-answer.wav`). */
export const KNOWN_ANSWER_TEXT = 'Good morning everyone. Thank you for coming to the meeting today.';

/** Where the clip is served: mono 16-bit PCM at 16 kHz. */
export const KNOWN_ANSWER_URL = '/known-answer.wav';

/** Words for comparison: lower case, without punctuation; apostrophes inside a word stay. */
export function normalizedWords(text: string): string[] {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/’/g, "'")
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .split(' ')
    .map((word) => word.replace(/^'+|'+$/g, ''))
    .filter((word) => word !== '');
}

/** Fewest insertions, deletions and substitutions that turn `heard` into `expected` (Levenshtein). */
export function editDistance(expected: readonly string[], heard: readonly string[]): number {
  let previous = Array.from({ length: heard.length + 1 }, (_, column) => column);
  for (const [row, wanted] of expected.entries()) {
    const current = [row + 1];
    for (const [column, got] of heard.entries()) {
      const substituted = (previous[column] ?? 0) + (wanted === got ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[heard.length] ?? 0;
}

/** Edits per expected word; 0 is perfect, above 1 is possible. An empty expectation counts as one word. */
export function wordErrorRate(expected: string, heard: string): number {
  const words = normalizedWords(expected);
  return editDistance(words, normalizedWords(heard)) / Math.max(1, words.length);
}

/** True if the clip's words were all read and no others: case and punctuation do not matter. */
export const isKnownAnswer = (heard: string): boolean => wordErrorRate(KNOWN_ANSWER_TEXT, heard) === 0;
