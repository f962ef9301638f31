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

/** The translation and the fixed terms that are not in it, or what is wrong with it. */
type Attempt =
  | { readonly translation: string; readonly unkept: readonly GlossaryEntry[] }
  | { readonly flaw: TranslationFlaw };

const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

/**
 * Translates one sentence, whoever has the model: addresses stay as they are, fixed terms are kept, and an answer that
 * cannot be right is asked for once more. A good translation without a fixed term is better than none. Rejects with what `answer` rejects with.
 */
export async function translateSentence(request: SentenceRequest, answer: Answer): Promise<Sentence> {
  const { text, from, to, glossary } = request;
  if (!SAYS_SOMETHING.test(text)) return { translation: text };
  const entries = applicable(glossary, text, from, to);
  const addresses = addressSpans(text);

  const first = await attempt(request, entries, addresses, false, answer);
  if ('translation' in first && first.unkept.length === 0) return { translation: first.translation };
  const flaw = 'flaw' in first ? first.flaw : null;
  const lost = [
    ...glossarySpans('unkept' in first ? first.unkept : entries, text),
    ...(flaw === 'altered' ? numberSpans(text) : []),
  ];
  // Repeated tokens cost a careful translator, and placeholders repeat theirs.
  const careful = flaw === 'degenerate' || lost.length === 0;
  const second = await attempt(
    request,
    entries,
    careful ? addresses : [...addresses, ...lost],
    careful,
    answer,
  );
  if ('translation' in second && second.unkept.length === 0) return { translation: second.translation };
  const good = [first, second].find((one) => 'translation' in one);
  if (good) return { translation: good.translation };
  return { translation: text, flaw: 'flaw' in second ? second.flaw : 'altered' };
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
  if (answered === null) return { flaw: 'degenerate' };
  const restored = restore(answered, given);
  if (restored === null) return { flaw: 'altered' };
  const translation = enforce(restored, entries);
  const flaw = flawOf(text, translation, from, to);
  return flaw ? { flaw } : { translation, unkept: isKept(translation, entries) ? [] : entries };
}
