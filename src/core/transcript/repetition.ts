import { normaliseWord } from './alignment.ts';
import type { Word } from './types.ts';

/** Whisper's limit: text that zlib shrinks further than this repeats itself. */
export const MAX_COMPRESSION_RATIO = 2.4;

/** UTF-8 bytes of a text over its zlib-compressed bytes, as Whisper computes it; 0 for an empty text. */
export async function compressionRatio(text: string): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) return 0;
  const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return bytes.length / (await new Response(compressed).arrayBuffer()).byteLength;
}

/** Longest phrase, in words, whose repetition is looked for. */
const MAX_PHRASE_WORDS = 12;

/** How often a phrase of that many words may follow itself in speech: "no, no, no, no" is a sentence. */
const allowedRepeats = (phraseWords: number): number => (phraseWords === 1 ? 4 : phraseWords === 2 ? 3 : 2);

export interface WithoutLoops {
  readonly words: readonly Word[];
  /** Words that were cut. */
  readonly cut: number;
  /** Words kept that were no part of a loop. */
  readonly outside: number;
}

/**
 * Cuts loops: a phrase that follows itself more often than people do is kept once. Shorter
 * phrases are looked for first, so that a loop is cut to its smallest period.
 */
export function cutLoops(words: readonly Word[]): WithoutLoops {
  let kept: readonly Word[] = words;
  let turns = 0;
  for (let length = 1; length <= MAX_PHRASE_WORDS; length += 1) {
    const result = cutPeriod(kept, length);
    kept = result.kept;
    turns += result.loops * length;
  }
  return { words: kept, cut: words.length - kept.length, outside: Math.max(0, kept.length - turns) };
}

function cutPeriod(words: readonly Word[], length: number): { kept: readonly Word[]; loops: number } {
  const keys = words.map((word) => normaliseWord(word.text));
  const kept: Word[] = [];
  let loops = 0;
  for (let at = 0; at < words.length;) {
    let matching = 0;
    while (
      keys[at + length + matching] !== undefined &&
      keys[at + matching] === keys[at + length + matching]
    ) {
      matching += 1;
    }
    const repeats = Math.floor(matching / length) + 1;
    if (repeats > allowedRepeats(length)) {
      kept.push(...words.slice(at, at + length));
      loops += 1;
      // The loop's last, unfinished turn goes with it.
      at += length + matching;
    } else {
      kept.push(...words.slice(at, at + 1));
      at += 1;
    }
  }
  return { kept, loops };
}
