import type { Language } from '../transcript/types.ts';
import type { Span } from './placeholders.ts';
import type { GlossaryEntry } from './types.ts';

/** Chinese is written without spaces: a character of it bounds no word. */
const NOT_BEHIND_A_WORD = '(?<!(?!\\p{Script=Han})[\\p{L}\\p{M}\\p{N}])';
const NOT_BEFORE_A_WORD = '(?!(?!\\p{Script=Han})[\\p{L}\\p{M}\\p{N}])';

const termPattern = (term: string): string =>
  term
    .normalize('NFC')
    .trim()
    .replace(/[.*+?^${}()|[\]\\/]/gu, '\\$&')
    .replace(/['’]/gu, "['’]")
    .replace(/\s+/gu, '\\s+');

/** Any of the terms as whole words, in any case, the longest first. Null for none. */
function patternOf(terms: readonly string[]): RegExp | null {
  const longestFirst = terms.filter((term) => term.trim() !== '').sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return null;
  return new RegExp(
    `${NOT_BEHIND_A_WORD}(?:${longestFirst.map(termPattern).join('|')})${NOT_BEFORE_A_WORD}`,
    'giu',
  );
}

/** The same for a term in any case and spacing. */
export const keyOf = (term: string): string =>
  term.normalize('NFC').trim().toLowerCase().replace(/\s+/gu, ' ').replace(/’/gu, "'");

/** A meeting asks for the same few hundred again with each of its sentences. */
const keys = new WeakMap<GlossaryEntry, string>();

function keyOfTerm(entry: GlossaryEntry): string {
  const key = keys.get(entry) ?? keyOf(entry.term);
  keys.set(entry, key);
  return key;
}

/** By term; of two entries for one term the later holds. */
const byTerm = (entries: readonly GlossaryEntry[]): ReadonlyMap<string, GlossaryEntry> =>
  new Map(
    entries
      .filter(({ translation }) => translation.trim() !== '')
      .map((entry) => [keyOf(entry.term), entry] as const),
  );

/** Where the terms stand in the text, and what is to stand there in its translation. */
export function glossarySpans(entries: readonly GlossaryEntry[], text: string): readonly Span[] {
  const known = byTerm(entries);
  const pattern = patternOf(Array.from(known.values(), ({ term }) => term));
  if (pattern === null) return [];
  return Array.from(text.matchAll(pattern), ({ 0: found, index }) => ({
    start: index,
    end: index + found.length,
    value: known.get(keyOf(found))?.translation.trim() ?? found,
  }));
}

/**
 * The entries for this direction whose term stands in the text: as whole words, in any case, and not only as a part of a
 * longer term. A text that goes through English has the direction of its ends.
 */
export function applicable(
  entries: readonly GlossaryEntry[],
  text: string,
  from: Language,
  to: Language,
): readonly GlossaryEntry[] {
  // Nearly all of a large glossary has nothing to do with one text.
  const said = keyOf(text);
  const known = byTerm(
    entries.filter((entry) => entry.from === from && entry.to === to && said.includes(keyOfTerm(entry))),
  );
  if (known.size === 0) return [];
  const found = new Set(
    glossarySpans([...known.values()], text).map(({ start, end }) => keyOf(text.slice(start, end))),
  );
  return Array.from(known)
    .filter(([key]) => found.has(key))
    .map(([, entry]) => entry);
}

/**
 * Names what the user had fixed for some words: the same for the same entries in whatever order, '' for none. FNV-1a, 64 bits.
 */
export function glossaryKey(entries: readonly GlossaryEntry[]): string {
  if (entries.length === 0) return '';
  const text = JSON.stringify(
    entries.map(({ term, translation }) => [keyOf(term), translation.trim()]).sort(),
  );
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36);
}

/** Whether each of the fixed translations stands in the translation, in whatever case. */
export const isKept = (translation: string, entries: readonly GlossaryEntry[]): boolean =>
  entries.every((entry) => patternOf([entry.translation])?.test(translation) ?? true);

/** Models copy words they do not know: such a term becomes its fixed translation. */
export function enforce(translation: string, entries: readonly GlossaryEntry[]): string {
  const known = byTerm(entries);
  const fixed = new Set(Array.from(known.values(), (entry) => keyOf(entry.translation)));
  // A fixed translation that holds its own term is right as it is.
  const pattern = patternOf([...fixed, ...known.keys()]);
  if (pattern === null) return translation;
  return translation.replace(pattern, (found) => {
    const key = keyOf(found);
    return fixed.has(key) ? found : (known.get(key)?.translation.trim() ?? found);
  });
}
