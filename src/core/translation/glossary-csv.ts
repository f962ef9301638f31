import { LANGUAGES, type Language } from '../transcript/types.ts';
import type { GlossaryEntry } from './types.ts';

const HEADER = ['from', 'to', 'term', 'translation'] as const;

/** Why a row was left out. */
export type GlossaryProblem = 'columns' | 'language' | 'sameLanguage' | 'empty' | 'quotes';

export interface ParsedGlossary {
  readonly entries: readonly GlossaryEntry[];
  /** Rows that were left out, by the line (from 1) they begin in. */
  readonly problems: readonly { readonly line: number; readonly problem: GlossaryProblem }[];
}

interface Row {
  readonly line: number;
  readonly fields: string[];
  /** A field begins with a quote that does not end it: there the row is cut at every separator and line. */
  badQuotes: boolean;
}

/** Rows of RFC 4180 with the line they begin in. */
function rowsOf(csv: string, separator: string): Row[] {
  // A field, quoted or not, with what ends it.
  const field = new RegExp(
    `(?:"([^"]*(?:""[^"]*)*)"|([^${separator}\\r\\n]*))(${separator}|\\r\\n|\\r|\\n|$)`,
    'gy',
  );
  const rows: Row[] = [];
  let line = 1;
  while (field.lastIndex < csv.length) {
    const row: Row = { line, fields: [], badQuotes: false };
    for (let ended = separator; ended === separator;) {
      const match = field.exec(csv);
      row.fields.push((match?.[1]?.replaceAll('""', '"') ?? match?.[2] ?? '').trim());
      row.badQuotes ||= match?.[2]?.startsWith('"') ?? false;
      line += match?.[0].match(/\r\n|\r|\n/gu)?.length ?? 0;
      ended = match?.[3] ?? '';
    }
    rows.push(row);
  }
  return rows;
}

const isLanguage = (text: string): text is Language => (LANGUAGES as readonly string[]).includes(text);

function entryOf({ fields, badQuotes }: Row): GlossaryEntry | GlossaryProblem {
  if (badQuotes) return 'quotes';
  // Spreadsheets fill rows up with empty columns.
  if (fields.length < HEADER.length || fields.slice(HEADER.length).some((field) => field !== ''))
    return 'columns';
  const [from, to, term, translation] = fields as unknown as [string, string, string, string];
  const [source, target] = [from.toLowerCase(), to.toLowerCase()];
  if (!isLanguage(source) || !isLanguage(target)) return 'language';
  if (source === target) return 'sameLanguage';
  return term === '' || translation === '' ? 'empty' : { from: source, to: target, term, translation };
}

/**
 * Reads a glossary from CSV (RFC 4180; also with a byte order mark or semicolons, as spreadsheets write it). The header
 * `from,to,term,translation` may be missing. Spaces around a field are dropped. Never throws.
 */
export function parseGlossary(csv: string): ParsedGlossary {
  const text = csv.replace(/^\uFEFF/u, '');
  const entries: GlossaryEntry[] = [];
  const problems: { line: number; problem: GlossaryProblem }[] = [];
  // The first field is a language or "from": what ends it separates.
  for (const [index, row] of rowsOf(text, /^[^,;]*;/u.test(text) ? ';' : ',').entries()) {
    const { line, fields } = row;
    const isHeader = index === 0 && HEADER.every((name, column) => fields[column]?.toLowerCase() === name);
    if (isHeader || fields.every((field) => field === '')) continue;
    const entry = entryOf(row);
    if (typeof entry === 'string') problems.push({ line, problem: entry });
    else entries.push(entry);
  }
  return { entries, problems };
}

const quoted = (field: string): string =>
  /[",;\r\n]/u.test(field) ? `"${field.replaceAll('"', '""')}"` : field;

/** The glossary as CSV (RFC 4180) with its header; {@link parseGlossary} reads it back. */
export const formatGlossary = (entries: readonly GlossaryEntry[]): string =>
  [HEADER, ...entries.map(({ from, to, term, translation }) => [from, to, term, translation])]
    .map((fields) => `${fields.map(quoted).join(',')}\r\n`)
    .join('');
