import { TRANSLATOR_IDS, type ModelId, type TranslatorId } from '../protocol/engine.ts';
import type { Language } from '../transcript/types.ts';

export interface Direction {
  readonly from: Language;
  readonly to: Language;
}

export const isTranslator = (model: ModelId): model is TranslatorId =>
  (TRANSLATOR_IDS as readonly ModelId[]).includes(model);

/** What the model translates, which its name says. */
export function directionOf(translator: TranslatorId): Direction {
  const [from, to] = translator.slice('opus-mt-'.length).split('-') as [Language, Language];
  return { from, to };
}

/** The model that leads straight from one language to the other. */
export const translatorOf = (from: Language, to: Language): TranslatorId | undefined =>
  TRANSLATOR_IDS.find((id) => id === `opus-mt-${from}-${to}`);
