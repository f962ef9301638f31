import { textOf, type Language } from '@core/transcript/types.ts';
import { spaceBetween } from '@core/translation/running-text.ts';
import type { CaptionLine } from './lines.ts';

type Ink = 'committed' | 'tentative' | 'translation';

/** Words of one ink that follow one another. */
interface Run {
  readonly text: string;
  readonly ink: Ink;
}

export type Row = readonly Run[];

/** Always light on dark: such a window lies over a video. */
const PAPER = '#0b0a09';
const INKS: Readonly<Record<Ink, string>> = {
  committed: '#fffdf8',
  tentative: '#a8a198',
  translation: '#7fdccf',
};
const FONT =
  "'Source Sans 3 Variable', system-ui, 'PingFang SC', 'Noto Sans SC', 'Noto Sans CJK SC', sans-serif";
/** Shares of the picture's height. */
const TYPE_SIZE = 0.115;
const LINE_HEIGHT = 1.3;
const MARGIN = 0.05;

/** What stays together in a row: a Chinese character or a word, with the punctuation and the space that belong to it. */
const PIECE = /\s*(?:[\p{Ps}\p{Pi}]*\p{Script=Han}[\p{Pe}\p{Pf}\p{Po}]*|(?:(?!\p{Script=Han})\S)+)/gu;

/** Draws as many of the last rows as there is room for, the latest at the bottom. */
export function drawCaptions(
  context: CanvasRenderingContext2D,
  lines: readonly CaptionLine[],
  target: Language | null,
): void {
  const { width, height } = context.canvas;
  const sizePx = height * TYPE_SIZE;
  const marginPx = height * MARGIN;
  const rowPx = sizePx * LINE_HEIGHT;
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, height);
  context.font = `500 ${sizePx}px ${FONT}`;
  context.textBaseline = 'alphabetic';
  const measure = (text: string) => context.measureText(text).width;
  const room = Math.floor((height - 2 * marginPx) / rowPx);
  const rows = lines
    .flatMap((line) => runsOf(line, target))
    .flatMap((runs) => wrap(runs, width - 2 * marginPx, measure))
    .slice(-room);
  rows.forEach((row, index) => {
    let x = marginPx;
    const y = height - marginPx - rowPx * (rows.length - 1 - index) - sizePx * 0.2;
    for (const { text, ink } of row) {
      context.fillStyle = INKS[ink];
      context.fillText(text, x, y);
      x += measure(text);
    }
  });
}

/** The paragraphs of a line: what was said, then its translation. */
function runsOf({ segment, original, units }: CaptionLine, target: Language | null): Run[][] {
  const committed = textOf(segment.committed);
  const tentative = segment.tentative.map(({ text }) => text).join('');
  const own: Run[] = [
    { text: committed, ink: 'committed' },
    { text: committed ? tentative : tentative.trimStart(), ink: 'tentative' },
  ];
  const translated = units.map(({ translation, flaw }, index): Run => {
    const space = index > 0 ? spaceBetween(target) : '';
    return { text: `${space}${translation}`, ink: flaw ? 'committed' : 'translation' };
  });
  return original ? [own, translated] : [translated];
}

/**
 * Breaks a paragraph into rows: between words, in Chinese between characters.
 * @param measure width of a text, px
 */
export function wrap(runs: readonly Run[], widthPx: number, measure: (text: string) => number): Row[] {
  const rows: Run[][] = [[]];
  let usedPx = 0;
  for (const piece of runs.flatMap(piecesOf)) {
    if (usedPx > 0 && usedPx + measure(piece.text.trimEnd()) > widthPx) {
      rows.push([]);
      usedPx = 0;
    }
    const row = rows.at(-1)!;
    const text = row.length === 0 ? piece.text.trimStart() : piece.text;
    const last = row.at(-1);
    if (last?.ink === piece.ink) row[row.length - 1] = { ...last, text: last.text + text };
    else row.push({ ...piece, text });
    usedPx += measure(text);
  }
  return rows.filter((row) => row.length > 0);
}

const piecesOf = ({ text, ink }: Run): Run[] =>
  Array.from(text.matchAll(PIECE), ([piece]) => ({ text: piece, ink }));
