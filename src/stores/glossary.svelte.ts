import * as v from 'valibot';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import { LANGUAGES } from '@core/transcript/types.ts';
import { formatGlossary, parseGlossary, type GlossaryProblem } from '@core/translation/glossary-csv.ts';
import type { GlossaryEntry } from '@core/translation/types.ts';
import type { ExportedFile } from '@src/export/formats.ts';
import { mergeGlossary, pairOf } from './glossary-merge.ts';

const Text = v.pipe(v.string(), v.trim(), v.minLength(1));
const EntrySchema = v.object({
  from: v.picklist(LANGUAGES),
  to: v.picklist(LANGUAGES),
  term: Text,
  translation: Text,
});
/** What this version does not understand is left out. */
const GlossarySchema = v.pipe(
  v.array(v.unknown()),
  v.transform((entries) => entries.filter((entry) => v.is(EntrySchema, entry))),
);

const KEY = 'unisono-glossary';

/** Excel takes a file without it for one in the characters of the system. */
const BYTE_ORDER_MARK = '\uFEFF';
/** Stands for bytes that are no UTF-8. */
const REPLACEMENT = '\uFFFD';

export interface ImportProblem {
  /** From 1. */
  readonly line: number;
  readonly problem: GlossaryProblem | 'encoding';
}

export interface GlossaryImport {
  /** Entries that were new or had another translation. */
  readonly added: number;
  readonly problems: readonly ImportProblem[];
}

/** The terms whose translation the user has fixed, kept in this browser; all its tabs have the same. */
export class GlossaryStore {
  readonly #onError: (error: UnisonoError) => void;
  readonly #storage: Storage;
  #entries: readonly GlossaryEntry[];

  constructor(onError: (error: UnisonoError) => void, storage: Storage = localStorage) {
    this.#onError = onError;
    this.#storage = storage;
    this.#entries = $state.raw(this.#read());
    window.addEventListener('storage', ({ key, storageArea }) => {
      // A key of null: everything was deleted.
      if (storageArea === storage && (key === KEY || key === null)) this.#entries = this.#read();
    });
  }

  /** In the order they were added; one for each pair. */
  get entries(): readonly GlossaryEntry[] {
    return this.#entries;
  }

  /** In place of what the pair had before. */
  add(entry: GlossaryEntry): void {
    this.#merge([entry]);
  }

  remove(entry: GlossaryEntry): void {
    const pair = pairOf(entry);
    this.#write(this.#read().filter((known) => pairOf(known) !== pair));
  }

  /** Takes in the rows of a CSV file that are right. Of a file that is not UTF-8 none is. */
  async importCsv(file: Blob): Promise<GlossaryImport> {
    const text = await file.text();
    const unreadable = text.split(/\r\n|\r|\n/).findIndex((line) => line.includes(REPLACEMENT));
    if (unreadable >= 0) return { added: 0, problems: [{ line: unreadable + 1, problem: 'encoding' }] };
    const { entries, problems } = parseGlossary(text);
    return { added: this.#merge(entries), problems };
  }

  exportCsv(): ExportedFile {
    return {
      name: 'unisono-glossary.csv',
      mimeType: 'text/csv',
      content: BYTE_ORDER_MARK + formatGlossary(this.#entries),
    };
  }

  /** @returns how many change what was known */
  #merge(added: readonly GlossaryEntry[]): number {
    const { entries, changed } = mergeGlossary(this.#read(), added);
    this.#write(entries);
    return changed;
  }

  /** What is stored, and not what this tab last heard of: another one may have changed it this moment. */
  #read(): readonly GlossaryEntry[] {
    try {
      const stored = v.parse(GlossarySchema, JSON.parse(this.#storage.getItem(KEY) ?? '[]'));
      return mergeGlossary([], stored).entries;
    } catch {
      return [];
    }
  }

  #write(entries: readonly GlossaryEntry[]): void {
    this.#entries = entries;
    try {
      this.#storage.setItem(KEY, JSON.stringify(entries));
    } catch (error) {
      this.#onError(toUnisonoError(error, 'storage-failed'));
    }
  }
}
