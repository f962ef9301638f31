import { SvelteMap } from 'svelte/reactivity';
import type { UnisonoError } from '@core/protocol/errors.ts';
import type { Language, Segment } from '@core/transcript/types.ts';
import { MeetingTranslation } from '@core/translation/meeting-translation.ts';
import type { SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import { BrowserTranslator, hasBrowserTranslator, type BrowserModel } from '@src/page/browser-translator.ts';
import { changesOf } from './segment-changes.ts';

interface BrowserTranslationParts {
  readonly translated: (translation: SegmentTranslation) => void;
  /** Why sentences wait; null: they no longer do. */
  readonly trouble: (error: UnisonoError | null) => void;
}

/**
 * The meeting on the screen, translated by the browser's own translator: for whoever has chosen that, and for as long as
 * it is on the screen. Nothing of it is stored.
 */
export class BrowserTranslationStore {
  /** This browser has one. */
  readonly isThere = hasBrowserTranslator();
  readonly #parts: BrowserTranslationParts;
  /** By the language they translate from, in the order of their last report. */
  readonly #models = new SvelteMap<Language, BrowserModel>();
  #latest = $state.raw<BrowserModel | null>(null);
  #translator: BrowserTranslator | null = null;
  #view: TranslationView | null = null;
  #meeting: MeetingTranslation | null = null;
  /** What the meeting was told of. */
  #heard: readonly Segment[] | null = null;

  constructor(parts: BrowserTranslationParts) {
    this.#parts = parts;
  }

  /** The model that reported last. */
  get latest(): BrowserModel | null {
    return this.#latest;
  }

  /** The model from the language is there. */
  isReady(language: Language): boolean {
    return this.#models.get(language)?.state === 'ready';
  }

  /** No translation from the language comes at the moment. */
  lacks(language: Language): boolean {
    return this.#models.get(language)?.state === 'failed';
  }

  /** @param view what to translate from now on; null: nothing, and the browser may let go of its models */
  follow(view: TranslationView | null, segments: readonly Segment[]): void {
    const [before, meeting] = [this.#view, this.#meeting];
    if (view === before) return;
    meeting?.close();
    if (view?.target !== before?.target) this.#renew(view?.target ?? null);
    const goesOn = view?.sessionId === before?.sessionId && view?.target === before?.target;
    this.#view = view;
    this.#heard = null;
    this.#meeting = view && this.#begin(view, goesOn ? meeting : null);
    this.hear(segments);
  }

  /** The meeting as it is now. */
  hear(segments: readonly Segment[]): void {
    const meeting = this.#meeting;
    if (!meeting) return;
    if (!this.#heard) {
      // What was said before comes behind what is being said.
      this.#heard = segments.filter(({ state }) => state === 'final');
      meeting.load(this.#heard, []);
    }
    const { changed, gone } = changesOf(this.#heard, segments);
    this.#heard = segments;
    for (const segment of changed) meeting.hear(segment);
    for (const id of gone) meeting.drop(id);
  }

  /** Fetches the model that was asked for last. Call it in the handler of a press. */
  fetch(): void {
    const wanted = [...this.#models.values()].findLast(
      ({ error }) => error && error.code !== 'browser-translator-unavailable',
    );
    if (!wanted) return;
    this.#translator?.fetch(wanted.from);
    this.#meeting?.retry();
  }

  #renew(target: Language | null): void {
    this.#translator?.close();
    this.#translator = target && new BrowserTranslator(target, (model) => this.#changed(model));
    this.#models.clear();
    this.#latest = null;
    this.#parts.trouble(null);
  }

  #begin(view: TranslationView, before: MeetingTranslation | null): MeetingTranslation {
    const translator = this.#translator!;
    return new MeetingTranslation(
      view,
      view.glossary,
      { translate: (request) => translator.translate(request), translated: this.#parts.translated },
      before ?? undefined,
    );
  }

  #changed(model: BrowserModel): void {
    this.#models.delete(model.from);
    this.#models.set(model.from, model);
    this.#latest = model;
    if (model.error) this.#parts.trouble(model.error);
    else if (![...this.#models.keys()].some((from) => this.lacks(from))) this.#parts.trouble(null);
  }
}
