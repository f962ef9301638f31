import type { TranslatorId } from '@core/protocol/engine.ts';
import { LANGUAGES, type Language } from '@core/transcript/types.ts';

/** A sentence in the four languages. The stand-in translators know those of the phrasebook and nothing else. */
export type Phrase = Readonly<Record<Language, string>> & { readonly id: number };

/** Directions of which there is a stand-in. */
export const STAND_INS = [
  'opus-mt-en-es',
  'opus-mt-en-fr',
  'opus-mt-en-zh',
  'opus-mt-es-en',
  'opus-mt-fr-en',
  'opus-mt-zh-en',
] as const satisfies readonly TranslatorId[];

/** Phrases that some stand-in gets wrong. */
interface Phrasebook {
  readonly phrases: readonly Phrase[];
  readonly missed: ReadonlySet<number>;
}

/**
 * The phrasebook beside the project.
 *
 * @param folder URL of ../shared/models, with a slash at its end
 * @returns null where it is absent
 */
export async function loadPhrasebook(folder = '/shared/models/'): Promise<Phrasebook | null> {
  const rows = async (file: string): Promise<string[][] | null> => {
    const response = await fetch(folder + file);
    if (!response.ok) return null;
    const lines = (await response.text()).trim().split('\n');
    return lines.slice(1).map((line) => line.split('\t'));
  };
  const [phrases, misses] = await Promise.all([rows('phrasebook.tsv'), rows('known-misses.tsv')]);
  if (!phrases || !misses) {
    console.warn('../shared/models is absent: tests with stand-in translators are skipped.');
    return null;
  }
  return {
    phrases: phrases.map(([id, ...texts]) => {
      const columns = LANGUAGES.map((language, column) => [language, texts[column] ?? '']);
      return { id: Number(id), ...(Object.fromEntries(columns) as Record<Language, string>) };
    }),
    missed: new Set(misses.map(([, , , id]) => Number(id))),
  };
}
