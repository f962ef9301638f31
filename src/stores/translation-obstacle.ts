import type { ModelId, ModelStatus, TranslatorId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import { isTranslator } from '@core/translation/directions.ts';
import { routeOf } from '@core/translation/route.ts';

/** The models on the way from one language to the other, with what they are doing. */
export function wayTo(
  from: Language,
  to: Language,
  models: ReadonlyMap<ModelId, ModelStatus>,
): readonly ModelStatus[] {
  const ready = [...models.values()].flatMap(({ model, state }) =>
    state === 'ready' && isTranslator(model) ? [model] : [],
  );
  return (routeOf(from, to, new Set(ready)) ?? []).flatMap((model) => models.get(model) ?? []);
}

/** The first model on the way from one language to the other that failed; null: nothing is in the way. */
export const failedOnTheWay = (
  from: Language,
  to: Language,
  models: ReadonlyMap<ModelId, ModelStatus>,
): TranslatorId | null =>
  wayTo(from, to, models)
    .filter(({ state }) => state === 'failed')
    .map(({ model }) => model)
    .find(isTranslator) ?? null;
