import type { TranslatorId } from '../protocol/engine.ts';
import type { Language } from '../transcript/types.ts';
import { translatorOf } from './directions.ts';

/**
 * The models a text goes through, in order: none within one language, one where a model leads straight to the target, else
 * two by way of English. The models between English and another language are there for whoever translates; the others
 * count where they are installed.
 *
 * @returns null if no way is known
 */
export function routeOf(
  from: Language,
  to: Language,
  installed: ReadonlySet<TranslatorId>,
): readonly TranslatorId[] | null {
  if (from === to) return [];
  const direct = translatorOf(from, to);
  if (direct !== undefined && (from === 'en' || to === 'en' || installed.has(direct))) return [direct];
  const toEnglish = translatorOf(from, 'en');
  const fromEnglish = translatorOf('en', to);
  return toEnglish === undefined || fromEnglish === undefined ? null : [toEnglish, fromEnglish];
}
