import { keyOf } from '@core/translation/glossary.ts';
import type { GlossaryEntry } from '@core/translation/types.ts';

/** The same for entries of which only one can hold: of one term, in any case, from one language into another. */
export const pairOf = ({ from, to, term }: GlossaryEntry): string => `${from} ${to} ${keyOf(term)}`;

export interface MergedGlossary {
  readonly entries: readonly GlossaryEntry[];
  /** How many were new or had another translation. */
  readonly changed: number;
}

/** The known entries with the new ones: each behind them, or in the place of the one it replaces. */
export function mergeGlossary(
  known: readonly GlossaryEntry[],
  added: readonly GlossaryEntry[],
): MergedGlossary {
  const entries = new Map(known.map((entry) => [pairOf(entry), entry]));
  let changed = 0;
  for (const entry of added) {
    const pair = pairOf(entry);
    if (entries.get(pair)?.translation === entry.translation) continue;
    entries.set(pair, entry);
    changed++;
  }
  return { entries: [...entries.values()], changed };
}
