import type { ModelId, ModelStatus } from '@core/protocol/engine.ts';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { Language } from '@core/transcript/types.ts';
import { directionOf, isTranslator } from '@core/translation/directions.ts';
import type { Engine } from './engine.ts';
import { isMissing, type EngineStatusStore } from './engine-status.svelte.ts';
import type { NoticesStore } from './notices.svelte.ts';
import type { PanelStore } from './panel.svelte.ts';
import type { TranslationsStore } from './translations.svelte.ts';

interface TranslatorCareParts {
  readonly engine: Pick<Engine, 'prepare' | 'owner'>;
  readonly status: EngineStatusStore;
  readonly translations: TranslationsStore;
  readonly notices: NoticesStore;
  readonly panel: PanelStore;
}

/** Tries translators again that could not be had, and tells those who read a translation when one cannot. */
export class TranslatorCare {
  readonly #parts: TranslatorCareParts;

  constructor(parts: TranslatorCareParts) {
    this.#parts = parts;
  }

  /** Fetches the model if need be and loads it; how it went is in its status. */
  async prepare(model: ModelId): Promise<void> {
    try {
      await this.#parts.engine.prepare(model);
    } catch (error) {
      this.#parts.notices.report(toUnisonoError(error));
    }
  }

  /** What to read in; null: as it is said. Models that failed before get another chance. */
  readIn(target: Language | null): void {
    this.#parts.translations.choose(target);
    void this.#prepareAll(this.#failedOnTheWay);
  }

  /** Translators that could not be fetched are tried again, as when the network is back. */
  async fetchMissing(): Promise<void> {
    await this.#prepareAll(this.#failedOnTheWay.filter(isMissing));
  }

  /** Whoever does not read a translation need not know that one cannot be had. */
  onStatus(status: ModelStatus): void {
    const { notices, panel, translations } = this.#parts;
    const failed = this.#parts.status.failedTranslators;
    const code = isMissing(status) ? 'translator-missing' : 'translator-failed';
    const { target, byBrowser } = translations;
    const wanted = (target !== null && !byBrowser) || panel.open === 'models';
    if (status.state === 'failed' && wanted) {
      const run = () => void this.#prepareAll(this.#parts.status.failedTranslators);
      notices.show({ code, level: 'warning', action: { kind: 'retry-model', run } });
    }
    if (!failed.some(isMissing)) notices.clear('translator-missing');
    if (failed.every(isMissing)) notices.clear('translator-failed');
  }

  /** The browser's own translator has trouble, or with null none any more. */
  onBrowser(trouble: UnisonoError | null): void {
    const { notices } = this.#parts;
    if (trouble) notices.report(trouble);
    else
      notices.clear(
        'browser-translator-press',
        'browser-translator-unavailable',
        'browser-translator-failed',
      );
  }

  /** Of the translators that failed, those that lead to what is read here. */
  get #failedOnTheWay(): readonly ModelStatus[] {
    const { target, byBrowser } = this.#parts.translations;
    const leadsThere = ({ model }: ModelStatus) =>
      isTranslator(model) && [target, 'en'].includes(directionOf(model).to);
    return target && !byBrowser ? this.#parts.status.failedTranslators.filter(leadsThere) : [];
  }

  async #prepareAll(models: readonly ModelStatus[]): Promise<void> {
    if (models.length === 0) return;
    await Promise.all(models.map(({ model }) => this.prepare(model)));
    // What had to be left out is translated now.
    const { engine, translations } = this.#parts;
    await translations.follow(translations.reading, engine.owner);
  }
}
