import type { RungId, TranslatorId } from '@core/protocol/engine.ts';
import { filesOf, TRANSLATOR_MODELS } from './catalog.ts';
import { urlOf } from './keep-files.ts';
import { WeightsCache } from './weights-cache.ts';

/** Translators that load without the network: those of which all files of some rung are stored. None where storage fails. */
export async function installedTranslators(): Promise<ReadonlySet<TranslatorId>> {
  const isStored = await new WeightsCache().inventory().catch(() => () => false);
  const installed = Object.values(TRANSLATOR_MODELS).filter((model) =>
    (Object.keys(model.variants) as RungId[]).some((rung) =>
      filesOf(model, rung).every((path) => isStored(urlOf(model, path))),
    ),
  );
  return new Set(installed.map(({ id }) => id));
}
