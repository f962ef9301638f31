import type { Language } from '../transcript/types.ts';

/** Digits with what joins them: 1,000 · 3.5 · 14:30 · 2024-03-15 · 1 000. */
const TOKEN = /\d+(?:[.,'’:/-]\d+|[ \u00a0\u202f]\d{3}(?!\d))*/gu;
const CHINESE_NUMERAL = /[零〇一二两三四五六七八九十百千万亿]+/gu;
const ROMAN_NUMERAL = /(?<!\p{L})[IVX]{1,6}(?=(?:e|er|ère|ème)?(?!\p{L}))/gu;

/** Words behind a number that multiply it. A billion is two numbers, depending on who says it; "5k" may be kilometres. */
const SCALES: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^\s?(?:mil\s+millones|mil\s+millions|milliards?|bn)(?!\p{L})/iu, [1e9]],
  [/^\s?(?:billions?|billón|billones)(?!\p{L})/iu, [1e9, 1e12]],
  [/^\s?(?:millions?|millón|millones)(?!\p{L})/iu, [1e6]],
  [/^\s?(?:thousand|mil|mille)(?!\p{L})/iu, [1e3]],
  [/^\s?[kK](?!\p{L})/u, [1, 1e3]],
];
/** 1万2500, 1亿2000万: digits and characters that multiply them. */
const MIXED_NUMERAL = /(?:\d+(?:\.\d+)?[百千万亿]+)+\d*/gu;
const CHINESE_UNITS: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1e3, 万: 1e4, 亿: 1e8 };
const CHINESE_DIGITS = '零一二三四五六七八九';

/**
 * Beginnings of the words for 2 to 20, the tens to 100, a thousand and a million; ordinals and names of amounts included;
 * of "quinientos" the end, for it alone has no "cien" in it.
 */
const WORDS: Readonly<Record<Language, readonly string[]>> = {
  en: `two|second|twice|both|pair|couple|double|half three|third|triple four|quart five|fifth six seven eigh nine|ninth
    ten eleven twel|dozen|noon|midnight thirteen fourteen fifteen|quarter sixteen seventeen eighteen nineteen twent
    thirt|half fort fift|half sixt sevent eight ninet hundred thousand million`.split(/\s+/u),
  es: `d[oó]s|segund|ambos|ambas|par|doble|medi|mitad tr[eé]s|terc|trip cuatr|cuart cinco|quin[ti] s[eé]is|sext siete|sépt|setec
    ocho|octav nueve|nove[nc] diez|décim once|undécim doce|docena|mediodía|medianoche trece catorce quinc|cuarto dieciséis diecisiete
    dieciocho diecinueve veint|vigésim treint|media cuarent cincuent|mitad sesent setent ochent novent cien|inient mil mill[oó]n`.split(
    /\s+/u,
  ),
  fr: `deux|second|paire|couple|double|demi|moitié trois|tiers|tripl quatr|quart cinq six sept huit neuf dix onz
    douz|midi|minuit treiz quatorz quinz|quart seiz dix-sept dix-huit dix-neuf vingt trent|demi quarant cinquant|moitié
    soixant soixante-dix|septant quatre-vingt quatre-vingt-dix|nonant cent mille million`.split(/\s+/u),
  zh: `[二两双俩半] 三 四 五 六 七 八 九 十 十一 十二|中午|正午|午夜|零点 十三 十四 十五|刻 十六 十七 十八 十九 二十|廿
    三十|半 四十 五十|半 六十 七十 八十 九十 百 千 百万`.split(/\s+/u),
};
const WORD_VALUES = [
  ...Array.from({ length: 19 }, (_, index) => index + 2),
  30,
  40,
  50,
  60,
  70,
  80,
  90,
  100,
  1e3,
  1e6,
];

const SCALE_WORD = /(?<!\p{L})(?:thousand|mil|milliard|billion|billón)|[百千万亿]/iu;

/** A time of day may change between twelve and twenty-four hours. */
const CLOCK =
  /\d\s?[ap]\.?\s?m\b|\d:\d\d|\d\s?h\b|o['’]clock|\d\s?heures?|\bhoras?\b|tarde|noche|matin|soir|[点點时時午晚]/iu;

const scaled = (value: number, by: number): number => Number((value * by).toPrecision(12));

/** Thousands apart: 1,000 · 1.000.000 · 1 000. */
const isGrouped = (token: string): boolean => /^\d{1,3}(?:\D\d{3})+$/u.test(token);

/** What a token of digits may say: whole, with the last part as decimals, multiplied by what follows it. */
function readingsOf(token: string, following: string): number[] {
  const parts = token.split(/\D/u);
  const values: number[] = [];
  if (parts.length === 1 || isGrouped(token) || !/[.,]\d+$/u.test(token)) values.push(Number(parts.join('')));
  if (/[.,]\d+$/u.test(token)) values.push(Number(`${parts.slice(0, -1).join('')}.${parts.at(-1) ?? ''}`));
  const chinese = /^\s?[十百千万亿]+/u.exec(following)?.[0].trim() ?? '';
  const scales =
    chinese === ''
      ? (SCALES.find(([pattern]) => pattern.test(following))?.[1] ?? [1])
      : [multiplierOf(chinese)];
  return values.flatMap((value) => scales.map((scale) => scaled(value, scale)));
}

/** 一万二千三百 is 12,300; 二〇二四, digit by digit, 2024. */
function chineseReadings(numeral: string): number[] {
  const digits = Array.from(numeral.replace(/〇/gu, '零').replace(/两/gu, '二'));
  if (digits.every((digit) => CHINESE_DIGITS.includes(digit))) {
    return [Number(digits.map((digit) => CHINESE_DIGITS.indexOf(digit)).join(''))];
  }
  let total = 0;
  let section = 0;
  let digit = 0;
  for (const sign of digits) {
    const unit = CHINESE_UNITS[sign];
    if (unit === undefined) {
      digit = CHINESE_DIGITS.indexOf(sign);
    } else if (unit >= 1e4) {
      total = (total + section + digit) * unit;
      section = digit = 0;
    } else {
      section += (digit === 0 ? 1 : digit) * unit;
      digit = 0;
    }
  }
  return [total + section + digit];
}

/** What characters such as 百万 multiply by. */
const multiplierOf = (units: string): number =>
  Array.from(units).reduce((product, unit) => product * (CHINESE_UNITS[unit] ?? 1), 1);

const mixedReading = (numeral: string): number =>
  Array.from(numeral.matchAll(/([\d.]+)([百千万亿]*)/gu)).reduce(
    (sum, [, digits, units]) => sum + scaled(Number(digits), multiplierOf(units ?? '')),
    0,
  );

function romanReading(numeral: string): number {
  const values = Array.from(numeral, (letter) => ({ I: 1, V: 5, X: 10 })[letter] ?? 0);
  return values.reduce((sum, value, index) => sum + (value < (values[index + 1] ?? 0) ? -value : value), 0);
}

const months = new Map<Language, readonly RegExp[]>();

function monthsIn(language: Language): readonly RegExp[] {
  const known = months.get(language);
  if (known !== undefined) return known;
  const names = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' });
  const found = Array.from(
    { length: 12 },
    (_, month) => new RegExp(names.format(Date.UTC(2000, month)), 'iu'),
  );
  months.set(language, found);
  return found;
}

/** Every number that a text may be read to hold: in digits, in Chinese or Roman numerals, a month by its name. */
function numbersIn(text: string, language: Language): ReadonlySet<number> {
  const found = new Set<number>();
  const add = (values: readonly number[]): void => values.forEach((value) => found.add(value));
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    add(readingsOf(token, text.slice(index + token.length)));
    add(readingsOf(token, ''));
    add(token.split(/\D/u).map(Number));
  }
  for (const [numeral] of text.matchAll(CHINESE_NUMERAL)) add(chineseReadings(numeral));
  for (const [numeral] of text.matchAll(MIXED_NUMERAL)) add([mixedReading(numeral)]);
  for (const [numeral] of text.matchAll(ROMAN_NUMERAL)) add([romanReading(numeral)]);
  monthsIn(language).forEach((month, index) => month.test(text) && add([index + 1]));
  return found;
}

/** The numbers whose words make up a larger one's, in each way that it may be said. */
function partsOf(value: number, language: Language): number[][] {
  if (!Number.isInteger(value) || value <= 20 || value >= 1e6) return [];
  if (value < 100) {
    const ways = [[value - (value % 10), value % 10]];
    // soixante-quinze, quatre-vingt-douze
    if (language === 'fr' && value > 60) ways.push([value - (value % 20), value % 20]);
    return ways;
  }
  if (value < 1000) return [[Math.floor(value / 100), 100, value % 100]];
  const ways = [[Math.floor(value / 1000), 1000, value % 1000]];
  // nineteen ninety-eight
  if (value < 2100) ways.push([Math.floor(value / 100), value % 100]);
  return ways;
}

/** @param within it may stand inside a word, as in "veintidós" and "doscientas" */
function saysInWords(value: number, text: string, language: Language, within = false): boolean {
  const stem = WORDS[language][WORD_VALUES.indexOf(value)];
  if (stem !== undefined)
    return new RegExp(language === 'zh' || within ? stem : `(?<!\\p{L})(?:${stem})`, 'iu').test(text);
  // In doubt it is there: "1" is in every text.
  return partsOf(value, language).some((parts) =>
    parts.every((part) => part <= 1 || saysInWords(part, text, language, language === 'es')),
  );
}

/**
 * Whether the numbers a text writes in digits are all in its translation, in whatever form. In doubt they are: "1", for
 * one, is in every translation, as an article if nothing else.
 */
export function keepsNumbers(source: string, translation: string, to: Language): boolean {
  const ascii = (text: string): string =>
    text.replace(/[０-９．，：]/gu, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
  const [said, written] = [ascii(source), ascii(translation)];
  if (!/\d/u.test(said)) return true;
  const there = numbersIn(written, to);
  const clock = CLOCK.test(said) || CLOCK.test(written);
  const isThere = (value: number): boolean =>
    value <= 1 ||
    there.has(value) ||
    saysInWords(value, written, to) ||
    (clock && value <= 24 && (there.has(value + 12) || there.has(value - 12))) ||
    // The nineties, 1998 as '98.
    (value >= 20 && value <= 99 && (there.has(1900 + value) || there.has(2000 + value))) ||
    (value >= 1900 && value < 2100 && there.has(value % 100));
  return Array.from(said.matchAll(TOKEN)).every(({ 0: token, index }) => {
    const following = said.slice(index + token.length);
    // 3万5千: one number in two tokens.
    if (/^[千万亿]\d/u.test(following) || /\d[千万亿]$/u.test(said.slice(0, index))) return true;
    const readings = readingsOf(token, following);
    if (readings.some((value) => there.has(value))) return true;
    const parts = token.split(/\D/u).map(Number);
    const inWords = (value: number): boolean => saysInWords(value, written, to);
    // "In 2020 300 people came" looks like thousands apart.
    if (isGrouped(token)) return parts.every((part) => there.has(part)) || readings.some(inWords);
    if (parts.length > 1) return parts.every(isThere);
    // "2 million" as "dos millones".
    const [value = 0] = parts;
    if (!readings.includes(value)) return SCALE_WORD.test(written) && (value <= 1 || inWords(value));
    return isThere(value);
  });
}
