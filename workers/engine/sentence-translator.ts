import type { TranslatorId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { directionOf, type Direction } from '@core/translation/directions.ts';
import { flawOf } from '@core/translation/guard.ts';
import { routeOf } from '@core/translation/route.ts';
import {
  translateSentence,
  type Sentence,
  type SentenceRequest,
} from '@core/translation/translate-sentence.ts';
import { isAbort } from './decoder.ts';
import type { TranslatedText } from './inference-protocol.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { Scheduler, Ticket } from './scheduler.ts';
import { SharedCalls } from './shared-calls.ts';

/** A text on which so many ways to run its model failed is the fault's cause: the others are spared. */
const MOST_FAULTS = 2;

export interface SentenceTranslatorParts {
  readonly registry: ModelRegistry;
  readonly scheduler: Scheduler;
  /** Translators whose weights are on this device. */
  installed(): Promise<ReadonlySet<TranslatorId>>;
}

/**
 * Turns sentences into scheduled calls of translators that survive faults. A call is made once however many ask for it,
 * also for what is only half the way of one and all the way of another. Lives in the engine worker.
 */
export class SentenceTranslator {
  readonly #parts: SentenceTranslatorParts;
  readonly #calls = new SharedCalls<TranslatorId, TranslatedText | null>();
  /** On what which model fails, as JSON. */
  readonly #fatal = new Set<string>();
  #installed: Promise<ReadonlySet<TranslatorId>> | null = null;
  #lastInstalled: ReadonlySet<TranslatorId> = new Set();

  constructor(parts: SentenceTranslatorParts) {
    this.#parts = parts;
  }

  /** @throws an abort, or a UnisonoError when no model leads there at the moment */
  async translate(request: SentenceRequest): Promise<Sentence> {
    const route = await this.#route(request);
    const sentence = await translateSentence(request, (text, careful) =>
      this.#answer(route, text, careful, request),
    );
    const isTranslated = sentence.translation !== request.text;
    return isTranslated && route.length > 1 ? { ...sentence, via: directionOf(route[0]!).to } : sentence;
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

  /** The text by way of all models; null where one of them has no translation of what it was given. */
  async #answer(
    route: readonly TranslatorId[],
    given: string,
    careful: boolean,
    request: SentenceRequest,
  ): Promise<string | null> {
    let text = given;
    for (const model of route) {
      const { from, to } = directionOf(model);
      const answer = await this.#call(model, text, careful, request);
      if (!answer || answer.truncated || flawOf(text, answer.text, from, to) === 'degenerate') return null;
      text = answer.text;
    }
    return text;
  }

  /** Null where the model fails on the text. */
  #call(
    model: TranslatorId,
    text: string,
    careful: boolean,
    { session, priority, signal }: SentenceRequest,
  ): Promise<TranslatedText | null> {
    const { registry, scheduler } = this.#parts;
    const key = JSON.stringify([model, careful, text]);
    const fatal = JSON.stringify([model, text]);
    return this.#calls.get(key, model, { priority, signal }, async (call) => {
      for (let faults = 0; !this.#fatal.has(fatal);) {
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
          faults += 1;
          if (faults === MOST_FAULTS) this.#fatal.add(fatal);
          // Whether a model is left shows when it is asked for again.
          await registry.stepDown(loaded, error).catch(() => undefined);
        }
      }
      return null;
    });
  }
}
