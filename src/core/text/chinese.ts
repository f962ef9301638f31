import type { Word } from '../transcript/types.ts';

type Convert = (text: string) => string;

let converter: Promise<Convert> | undefined;

/** The dictionaries are large and only readers of Chinese need them: loaded at the first use. */
const loadConverter = (): Promise<Convert> =>
  (converter ??= import('opencc-js/t2cn').then(({ Converter }) => Converter({ from: 't', to: 'cn' })));

/** Traditional Chinese characters as simplified ones (OpenCC `t2s`); everything else stays as it is. */
export async function toSimplified(text: string): Promise<string> {
  const convert = await loadConverter();
  return convert(text);
}

/**
 * {@link toSimplified} over a sentence split into words. Phrases that cross a word's border are
 * converted as a whole; times and borders stay.
 */
export async function simplifyWords(words: readonly Word[]): Promise<Word[]> {
  const convert = await loadConverter();
  const text = words.map((word) => word.text).join('');
  const converted = convert(text);
  if (converted.length !== text.length) return words.map((word) => ({ ...word, text: convert(word.text) }));
  let start = 0;
  return words.map((word) => ({ ...word, text: converted.slice(start, (start += word.text.length)) }));
}
