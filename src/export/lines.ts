import type { Language } from '@core/transcript/types.ts';

/** The usual length of a line of subtitles; Chinese characters are twice as wide. */
const lineCharacters = (language: Language | null): number => (language === 'zh' ? 18 : 42);

/** What fits the two lines that a language has in a cue. */
export const cueCharacters = (language: Language | null): number => 2 * lineCharacters(language);

/** Where a text may be cut: after a space, and next to a Chinese character, but never before closing punctuation. */
const BREAKS =
  /(?<=\s)(?=\S)|(?<=[\p{Script=Han}\p{Po}\p{Pe}\p{Pf}])(?=\p{Script=Han})|(?<=\p{Script=Han})(?=[\p{L}\p{N}\p{Ps}\p{Pi}])/gu;

/** The text in `count` parts of about the same length, or fewer where there are too few places to cut it. */
export function cutText(text: string, count: number): string[] {
  const places = [...text.matchAll(BREAKS)].map((match) => match.index);
  const cuts = evenCuts(places, text.length, count).map((index) => places[index]);
  return [0, ...cuts].map((from, part) => text.slice(from, cuts[part]).trim());
}

/**
 * Chooses where to cut what is `length` long, so that the `count` parts are of about the same size.
 * @param places where it may be cut, in rising order
 * @returns indices of the chosen places in rising order: `count - 1`, or all where there are not as many
 */
export function evenCuts(places: readonly number[], length: number, count: number): number[] {
  const wanted = Math.min(count - 1, places.length);
  const cuts: number[] = [];
  for (let next = 0; cuts.length < wanted; next++) {
    const ideal = (length * (cuts.length + 1)) / (wanted + 1);
    const distance = (index: number) => Math.abs((places[index] ?? Infinity) - ideal);
    // Enough places must be left for the cuts that follow.
    const last = places.length - (wanted - cuts.length);
    while (next < last && distance(next + 1) <= distance(next)) next++;
    cuts.push(next);
  }
  return cuts;
}

/** The text on two lines of about the same length where one is not enough. */
export const wrap = (text: string, language: Language | null): string =>
  text.length <= lineCharacters(language) ? text : cutText(text, 2).join('\n');
