import type { ModelStatus, TranslatorId } from '@core/protocol/engine.ts';
import type { Language } from '@core/transcript/types.ts';
import { isTranslator } from '@core/translation/directions.ts';
import { routeOf } from '@core/translation/route.ts';

/** The first model on the way from one language to the other that failed; null: nothing is in the way. */
export function failedOnTheWay(
  from: Language,
  to: Language,
  models: readonly ModelStatus[],
): TranslatorId | null {
  const inState = (state: ModelStatus['state']) =>
    new Set(
      models.flatMap((status) =>
        status.state === state && isTranslator(status.model) ? [status.model] : [],
      ),
    );
  const failed = inState('failed');
  return routeOf(from, to, inState('ready'))?.find((model) => failed.has(model)) ?? null;
}
