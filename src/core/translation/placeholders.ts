/** A stretch of a text, UTF-16 offsets [start, end), and what stands for it in the translation. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** A text with placeholders in it, and what they stand for. */
export interface Protected {
  readonly text: string;
  /** Of placeholder 1, 2, … in the order of the text. */
  readonly values: readonly string[];
  /** First and last letter of a placeholder. */
  readonly frame: readonly [string, string];
}

/**
 * "X1Z" reads as a part number, which models copy. Every opus-mt vocabulary has Latin capitals and digits (it may lack
 * brackets and underscores), and neither letter is a word in the four languages. The others are for texts that hold such
 * a thing themselves.
 */
const FRAMES = [
  ['X', 'Z'],
  ['X', 'K'],
  ['K', 'Z'],
  ['Z', 'X'],
] as const;

const placeholderPattern = ([first, last]: Protected['frame']): RegExp =>
  new RegExp(`(?<![A-Za-z0-9])${first}[\\s_-]*([0-9]+(?:\\s[0-9]+)*)[\\s_-]*${last}(?![A-Za-z0-9])`, 'giu');

/** Chinese ends an address, but where it can only be a part of it: behind "/", "=", "-", "_", or in a Chinese host. */
const LETTER = String.raw`(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])`;
const MARKED = String.raw`(?:[\x21-\x7e]|${LETTER}|(?<=[/=_-]|\p{Script=Han}\.)\p{Script=Han}+)`;
const HOST = String.raw`(?<!${LETTER}|[.@-])(?:(?:${LETTER}|-)+\.)+`;
/** In small letters: "I like it.It is" names no host. */
const TOP_LEVEL =
  '(?:com|org|net|edu|gov|int|info|biz|io|ai|dev|app|xyz|online|site|tech|cloud|eu|fr|es|de|it|ch|at|be|nl|lu|pt|pl|se|dk|fi|ie|uk|us|ca|mx|ar|cl|co|pe|br|au|nz|cn|hk|tw|jp|kr|sg|rs|sh|ly|me|tv)';
const ADDRESS = new RegExp(
  [
    String.raw`[A-Za-z]+:\/\/${MARKED}+`,
    String.raw`[Ww]{3}\.${MARKED}+`,
    String.raw`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`,
    String.raw`(?:localhost:\d+|${HOST}${TOP_LEVEL}(?!${LETTER}|-)(?::\d+)?)(?:\/${MARKED}*)?`,
    String.raw`${HOST}[a-z]{2,}(?::\d+)?\/${MARKED}+`,
  ].join('|'),
  'gu',
);
const NUMBER =
  /(?<!(?!\p{Script=Han})[\p{L}\p{N}])\d+(?:(?:[.,:'’/\u00a0\u202f]|\s?h\s?)\d+)*(?![A-Za-z\d]|[.,:]\d|[百千万亿])/gu;

const spansOf = (text: string, pattern: RegExp): Span[] =>
  Array.from(text.matchAll(pattern), ({ 0: found, index }) => {
    const value = found.replace(/[.,;:!?"'()<>\]]+$/u, '');
    return { start: index, end: index + value.length, value };
  });

/** Web and e-mail addresses, which stay as they are in every language. */
export const addressSpans = (text: string): readonly Span[] => spansOf(text, ADDRESS);

/** Numbers in digits, as they stand in the text, but for those that a Chinese character multiplies: 3万 is 30,000. */
export const numberSpans = (text: string): readonly Span[] => spansOf(text, NUMBER);

/** Puts a placeholder for each span. Where spans overlap the longest is taken. */
export function protect(text: string, spans: readonly Span[]): Protected {
  const taken: Span[] = [];
  for (const span of [...spans].sort((a, b) => b.end - b.start - (a.end - a.start))) {
    if (span.end > span.start && taken.every((other) => span.end <= other.start || span.start >= other.end))
      taken.push(span);
  }
  taken.sort((a, b) => a.start - b.start);
  const frame = FRAMES.find((letters) => !placeholderPattern(letters).test(text)) ?? FRAMES[0];
  let result = '';
  let at = 0;
  for (const [index, { start, end }] of taken.entries()) {
    result += text.slice(at, start);
    // In Chinese a term may touch a Latin word, or another term.
    const before = /[A-Za-z0-9]$/u.test(result) ? ' ' : '';
    const after = /^[A-Za-z0-9]/u.test(text.slice(end)) ? ' ' : '';
    result += `${before}${frame[0]}${index + 1}${frame[1]}${after}`;
    at = end;
  }
  return { text: result + text.slice(at), values: taken.map(({ value }) => value), frame };
}

/**
 * Puts back what the placeholders stand for; their case and spaces in them do not matter.
 *
 * @returns null if a placeholder is missing, there twice, or was never given: then the translation cannot be used
 */
export function restore(translated: string, { values, frame }: Protected): string | null {
  const seen: number[] = [];
  const text = translated.replace(placeholderPattern(frame), (_, digits: string) => {
    const index = Number(digits.replace(/\s/gu, '')) - 1;
    seen.push(index);
    return values[index] ?? '';
  });
  return seen.length === values.length && values.every((_, index) => seen.includes(index)) ? text : null;
}
