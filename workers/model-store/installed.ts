import type { RungId, TranslatorId } from '@core/protocol/engine.ts';
import { filesOf, TRANSLATOR_MODELS, type TranslatorModel } from './catalog.ts';
import { hubUrl } from './sources.ts';
import { WeightsCache } from './weights-cache.ts';

/** Where transformers.js asks the hub for a file. @param path `org/repo/file` */
const urlOf = ({ repo, revision }: TranslatorModel, path: string): string =>
  `${hubUrl()}${repo}/resolve/${revision}${path.slice(repo.length)}`;

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
