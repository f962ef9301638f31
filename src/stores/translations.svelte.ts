import { SvelteMap } from 'svelte/reactivity';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { EngineEvent, TranslatorId } from '@core/protocol/engine.ts';
import type { SegmentId } from '@core/protocol/ids.ts';
import type { Owner } from '@core/protocol/tabs.ts';
import { LANGUAGES, type Language, type Segment } from '@core/transcript/types.ts';
import type { GlossaryEntry, SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import type { UnisonoDatabase } from '@src/storage/database.ts';
import { loadTranslations } from '@src/storage/translations.ts';
import { BrowserTranslationStore } from './browser-translation.svelte.ts';
import type { Engine } from './engine.ts';
import type { EngineStatusStore } from './engine-status.svelte.ts';
import type { SettingsStore } from './settings.svelte.ts';
import { fold, unitsThatHold } from './translation-fold.ts';
import { failedOnTheWay } from './translation-obstacle.ts';
import type { TranscriptsStore } from './transcripts.svelte.ts';

/** Of this tab: two tabs may read a meeting in two languages. */
const KEY = 'unisono-target';
const OFF = 'none';

interface TranslationsParts {
  readonly engine: Pick<Engine, 'translate'>;
  readonly database: Promise<UnisonoDatabase>;
  readonly settings: SettingsStore;
  readonly transcripts: TranscriptsStore;
  readonly status: EngineStatusStore;
  readonly glossary: () => readonly GlossaryEntry[];
  readonly onError: (error: UnisonoError) => void;
  /** Why the browser does not translate; null: nothing is in its way any more. */
  readonly onBrowser: (trouble: UnisonoError | null) => void;
  /** Differs in tests only. */
  readonly storage?: Storage;
}

/** What is read here, and who translates it. */
interface Reading {
  readonly view: TranslationView;
  readonly byBrowser: boolean;
}

/**
 * The meeting on the screen in the language that this tab reads. Translating and storing are the engine's, unless the
 * browser's own translator is chosen.
 */
export class TranslationsStore {
  readonly browser: BrowserTranslationStore;
  readonly #parts: TranslationsParts;
  readonly #storage: Storage;
  readonly #known = new SvelteMap<SegmentId, SegmentTranslation>();
  #target: Language | null;
  /** What {@link toggle} goes back to. */
  #lastTarget: Language | null;
  /** What {@link #known} is about. */
  #shown: Reading | null = null;
  #told = false;
  #latest = $state.raw<Segment | null>(null);
  readonly #sessionId = $derived.by(() => this.#parts.transcripts.shown?.meeting.id ?? null);
  readonly #byBrowser = $derived.by(
    () => this.browser.isThere && this.#parts.settings.current.translator === 'browser',
  );
  readonly #reading = $derived.by((): Reading | null => {
    const [sessionId, target] = [this.#sessionId, this.#target];
    const view = sessionId && target && { sessionId, target, glossary: this.#parts.glossary() };
    return view && { view, byBrowser: this.#byBrowser };
  });

  constructor(parts: TranslationsParts) {
    this.#parts = parts;
    this.#storage = parts.storage ?? sessionStorage;
    this.browser = new BrowserTranslationStore({
      translated: (translation) => this.#show(translation),
      trouble: parts.onBrowser,
    });
    const { target } = parts.settings.current;
    const kept = this.#storage.getItem(KEY);
    this.#target = $state.raw(kept === OFF ? null : (LANGUAGES.find((one) => one === kept) ?? target));
    this.#lastTarget = this.#target ?? target;
  }

  /** The language that this tab reads; null: as it is said. */
  get target(): Language | null {
    return this.#target;
  }

  /** {@link follow} it whenever this or the engine's owner changes. */
  get reading(): Reading | null {
    return this.#reading;
  }

  /** The browser's own translator is chosen and there. */
  get byBrowser(): boolean {
    return this.#byBrowser;
  }

  /** The latest segment of the meeting on the screen whose translation was completed while it was live. */
  get latest(): Segment | null {
    return this.#latest;
  }

  choose(target: Language | null): void {
    this.#read(target);
    this.#storage.setItem(KEY, target ?? OFF);
    this.#parts.settings.set({ target });
  }

  /** For this visit only, as a link asks. */
  override(target: Language | null): void {
    this.#read(target);
  }

  /** Off, or on again. @returns false where no language was ever chosen */
  toggle(): boolean {
    const next = this.#target ? null : this.#lastTarget;
    if (this.#target === next) return false;
    this.choose(next);
    return true;
  }

  /** Tells who translates, and the engine only if there is one, what is read here; reads what the engine has stored of it. */
  async follow(reading: Reading | null, owner: Owner | null): Promise<void> {
    void this.#begin(reading);
    const { engine, transcripts, onError } = this.#parts;
    this.browser.follow(reading?.byBrowser ? reading.view : null, transcripts.segments);
    const view = reading && !reading.byBrowser ? reading.view : null;
    // An engine that was told nothing translates nothing.
    if (!owner || (!view && !this.#told)) return;
    this.#told = view !== null;
    try {
      await engine.translate(view);
    } catch (error) {
      onError(toUnisonoError(error));
    }
  }

  /** What is shown of the segment in the language of this tab: the units whose words still stand. Null: nothing yet. */
  of(segment: Segment): SegmentTranslation | null {
    const known = this.#known.get(segment.id);
    if (known?.target !== this.#target || segment.language === this.#target) return null;
    const units = unitsThatHold(known, segment);
    if (units.length === 0) return null;
    return units.length === known.units.length ? known : { ...known, units, complete: false };
  }

  /** The segment is in another language than the one read here. */
  concerns({ language, state }: Segment): boolean {
    return this.#target !== null && language !== this.#target && (language !== null || state === 'final');
  }

  /** Why no translation of the segment comes: nobody knows its language, or a model cannot be had. Null: it may come. */
  obstacle({ language }: Segment): 'language' | 'browser' | TranslatorId | null {
    const target = this.#target;
    if (!target || language === target) return null;
    if (!language) return 'language';
    if (this.#byBrowser) return this.browser.lacks(language) ? 'browser' : null;
    return failedOnTheWay(language, target, this.#parts.status.models);
  }

  apply(event: EngineEvent): void {
    // Another tab may have the engine translate what is read here.
    if (event.type === 'translation' && !this.#shown?.byBrowser) this.#show(event.translation);
  }

  #show(translation: SegmentTranslation): void {
    const { sessionId, segmentId, target } = translation;
    const view = this.#shown?.view;
    if (sessionId !== view?.sessionId || target !== view.target) return;
    const segment = this.#segment(segmentId);
    this.#known.set(segmentId, fold(this.#known.get(segmentId), translation, segment));
    if (!translation.complete || !segment || !this.#parts.transcripts.isLive(sessionId)) return;
    if (segment.startMs > (this.#latest?.startMs ?? -1)) this.#latest = segment;
  }

  #read(target: Language | null): void {
    this.#target = target;
    this.#lastTarget = target ?? this.#lastTarget;
  }

  async #begin(reading: Reading | null): Promise<void> {
    const before = this.#shown;
    this.#shown = reading;
    if (isSame(before, reading)) return;
    this.#known.clear();
    this.#latest = null;
    if (!reading || reading.byBrowser) return;
    const { view } = reading;
    try {
      const stored = await loadTranslations(await this.#parts.database, view.sessionId, view.target);
      if (!isSame(this.#shown, reading)) return;
      for (const translation of stored) {
        const { segmentId } = translation;
        const heard = this.#known.get(segmentId);
        // What was heard meanwhile is newer.
        const [before, next] = heard ? [translation, heard] : [undefined, translation];
        this.#known.set(segmentId, fold(before, next, this.#segment(segmentId)));
      }
    } catch (error) {
      this.#parts.onError(toUnisonoError(error, 'storage-failed'));
    }
  }

  #segment(id: SegmentId): Segment | undefined {
    return this.#parts.transcripts.segments.findLast((segment) => segment.id === id);
  }
}

const isSame = (first: Reading | null, second: Reading | null): boolean =>
  first?.view.sessionId === second?.view.sessionId &&
  first?.view.target === second?.view.target &&
  first?.byBrowser === second?.byBrowser;
