import type { Language } from '../transcript/types.ts';
import type { TranslatedUnit } from './types.ts';

/** What stands between two translated sentences: nothing in Chinese. */
export const spaceBetween = (language: Language | null): string => (language === 'zh' ? '' : ' ');

/** From the first word on. A unit after a gap waits: words that were put in before it would move it. */
export function unitsBeforeGap(units: readonly TranslatedUnit[]): readonly TranslatedUnit[] {
  const gap = units.findIndex(({ from }, index) => from !== (units[index - 1]?.to ?? 0));
  return gap === -1 ? units : units.slice(0, gap);
}
