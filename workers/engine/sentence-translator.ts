import type { TranslatorId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { Language } from '@core/transcript/types.ts';
import { directionOf, type Direction } from '@core/translation/directions.ts';
import { applicable, enforce, glossarySpans, isKept } from '@core/translation/glossary.ts';
import { flawOf } from '@core/translation/guard.ts';
import { addressSpans, numberSpans, protect, restore, type Span } from '@core/translation/placeholders.ts';
import { routeOf } from '@core/translation/route.ts';
import type { GlossaryEntry, TranslationFlaw } from '@core/translation/types.ts';
import { isAbort } from './decoder.ts';
import type { TranslatedText } from './inference-protocol.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { Priority, Scheduler, Ticket } from './scheduler.ts';
import { SharedCalls } from './shared-calls.ts';

export interface SentenceRequest {
  /** Whose turn it is in the scheduler. */
  readonly session: string;
  readonly priority: Extract<Priority, 'translation' | 'background'>;
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

export interface SentenceTranslatorParts {
  readonly registry: ModelRegistry;
  readonly scheduler: Scheduler;
  /** Translators whose weights are on this device. */
  installed(): Promise<ReadonlySet<TranslatorId>>;
}

/** What one way through the models gave: the translation, or what is wrong with it. */
type Attempt =
  | { readonly translation: string }
  | { readonly flaw: TranslationFlaw; readonly unkept: readonly GlossaryEntry[] };

/**
 * Turns sentences into scheduled calls of translators that survive faults. A call is made once however many ask for it,
 * also for what is only half the way of one and all the way of another. Lives in the engine worker.
 */
export class SentenceTranslator {
  readonly #parts: SentenceTranslatorParts;
  readonly #calls = new SharedCalls<TranslatorId, TranslatedText>();
  #installed: Promise<ReadonlySet<TranslatorId>> | null = null;
  #lastInstalled: ReadonlySet<TranslatorId> = new Set();

  constructor(parts: SentenceTranslatorParts) {
    this.#parts = parts;
  }

  /** @throws an abort, or a UnisonoError when no model leads there at the moment */
  async translate(request: SentenceRequest): Promise<Sentence> {
    const { text, from, to } = request;
    const route = await this.#route(request);
    if (!SAYS_SOMETHING.test(text)) return { translation: text };
    const via = route.length > 1 ? { via: directionOf(route[0]!).to } : {};
    const entries = applicable(request.glossary, text, from, to);
    const addresses = addressSpans(text);

    const first = await this.#attempt(route, request, entries, addresses, false);
    if ('translation' in first) return { ...first, ...via };
    const lost = [
      ...glossarySpans(first.unkept, text),
      ...(first.flaw === 'altered' ? numberSpans(text) : []),
    ];
    // Repeated tokens cost a careful translator, and placeholders repeat theirs.
    const careful = first.flaw === 'degenerate' || lost.length === 0;
    const second = await this.#attempt(route, request, entries, [...addresses, ...lost], careful);
    if ('translation' in second) return { ...second, ...via };
    return { translation: text, flaw: second.flaw };
  }

  /** Models of the direction that have failed get another chance. Resolves when they are on their way; never rejects. */
  async askAnew({ from, to }: Direction): Promise<void> {
    const { registry } = this.#parts;
    this.modelsChanged();
    for (const model of await this.#route({ from, to }).catch(() => []))
      if (registry.status(model).state === 'failed') void registry.prepare(model);
  }

  /** Another way may be open now. */
  modelsChanged(): void {
    this.#installed = null;
  }

  /** A sentence is on its way through the model, or would be in one of those directions. */
  needs(model: TranslatorId, directions: readonly Direction[]): boolean {
    return (
      this.#calls.any((other) => other === model) ||
      directions.some(({ from, to }) => routeOf(from, to, this.#lastInstalled)?.includes(model))
    );
  }

  async #route({ from, to }: Direction): Promise<readonly TranslatorId[]> {
    this.#lastInstalled = await (this.#installed ??= this.#parts.installed());
    const route = routeOf(from, to, this.#lastInstalled);
    if (!route) throw new UnisonoError('model-unknown', `No model leads from ${from} to ${to}.`);
    return route;
  }

  async #attempt(
    route: readonly TranslatorId[],
    request: SentenceRequest,
    entries: readonly GlossaryEntry[],
    spans: readonly Span[],
    careful: boolean,
  ): Promise<Attempt> {
    const given = protect(request.text, spans);
    let { text } = given;
    for (const model of route) {
      const { from, to } = directionOf(model);
      const answer = await this.#call(model, text, careful, request);
      if (answer.truncated || flawOf(text, answer.text, from, to) === 'degenerate') {
        return { flaw: 'degenerate', unkept: [] };
      }
      text = answer.text;
    }
    const restored = restore(text, given);
    if (restored === null) return { flaw: 'altered', unkept: [] };
    const translation = enforce(restored, entries);
    const unkept = isKept(translation, entries) ? [] : entries;
    const flaw = flawOf(request.text, translation, request.from, request.to);
    if (flaw === null && unkept.length === 0) return { translation };
    return { flaw: flaw ?? 'altered', unkept };
  }

  #call(
    model: TranslatorId,
    text: string,
    careful: boolean,
    { session, priority, signal }: SentenceRequest,
  ): Promise<TranslatedText> {
    const { registry, scheduler } = this.#parts;
    const key = JSON.stringify([model, careful, text]);
    return this.#calls.get(key, model, { priority, signal }, async (call) => {
      for (;;) {
        const loaded = await registry.ready(model);
        call.signal.throwIfAborted();
        const ticket: Ticket<TranslatedText> = scheduler.submit(
          {
            lane: loaded.runtime.lane,
            session,
            priority: call.priority,
            run: (stop) => loaded.runtime.translate(model, text, { careful }, stop),
          },
          call.signal,
        );
        call.onUrgent = () => ticket.setPriority('translation');
        try {
          return await ticket.result;
        } catch (error) {
          if (isAbort(error)) throw error;
          // Whether a model is left shows when it is asked for again.
          await registry.stepDown(loaded, error).catch(() => undefined);
        }
      }
    });
  }
}

const SAYS_SOMETHING = /[\p{L}\p{N}]/u;
