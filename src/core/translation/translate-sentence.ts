import type { Language } from '../transcript/types.ts';
import { applicable, enforce, glossarySpans, isKept } from './glossary.ts';
import { flawOf } from './guard.ts';
import { addressSpans, numberSpans, protect, restore, type Span } from './placeholders.ts';
import type { GlossaryEntry, TranslationFlaw } from './types.ts';

export interface SentenceRequest {
  /** Whose turn it is, where several meetings are translated. */
  readonly session: string;
  readonly priority: 'translation' | 'background';
  readonly text: string;
  readonly from: Language;
  readonly to: Language;
  readonly glossary: readonly GlossaryEntry[];
  readonly signal: AbortSignal;
}

export interface Sentence {
  /** With a flaw: the original text. */
  readonly translation: string;
  /** The language it went through, where no model leads straight to the target. */
  readonly via?: Language;
  readonly flaw?: TranslationFlaw;
}

/**
 * What a translator makes of a text, placeholders included; null: nothing that is of use.
 *
 * @param careful the same text again, because the first answer was none
 */
type Answer = (text: string, careful: boolean) => Promise<string | null>;

/** The translation, or what is wrong with it. */
type Attempt =
  | { readonly translation: string }
  | { readonly flaw: TranslationFlaw; readonly unkept: readonly GlossaryEntry[] };

const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

/**
 * Translates one sentence, whoever has the model: addresses stay as they are, fixed terms are kept, and an answer that
 * cannot be right is asked for once more. Rejects with what `answer` rejects with.
 */
export async function translateSentence(request: SentenceRequest, answer: Answer): Promise<Sentence> {
  const { text, from, to, glossary } = request;
  if (!SAYS_SOMETHING.test(text)) return { translation: text };
  const entries = applicable(glossary, text, from, to);
  const addresses = addressSpans(text);

  const first = await attempt(request, entries, addresses, false, answer);
  if ('translation' in first) return first;
  const lost = [...glossarySpans(first.unkept, text), ...(first.flaw === 'altered' ? numberSpans(text) : [])];
  // Repeated tokens cost a careful translator, and placeholders repeat theirs.
  const careful = first.flaw === 'degenerate' || lost.length === 0;
  const second = await attempt(request, entries, [...addresses, ...lost], careful, answer);
  return 'translation' in second ? second : { translation: text, flaw: second.flaw };
}

async function attempt(
  { text, from, to }: SentenceRequest,
  entries: readonly GlossaryEntry[],
  spans: readonly Span[],
  careful: boolean,
  answer: Answer,
): Promise<Attempt> {
  const given = protect(text, spans);
  const answered = await answer(given.text, careful);
  if (answered === null) return { flaw: 'degenerate', unkept: [] };
  const restored = restore(answered, given);
  if (restored === null) return { flaw: 'altered', unkept: [] };
  const translation = enforce(restored, entries);
  const unkept = isKept(translation, entries) ? [] : entries;
  const flaw = flawOf(text, translation, from, to);
  if (flaw === null && unkept.length === 0) return { translation };
  return { flaw: flaw ?? 'altered', unkept };
}
