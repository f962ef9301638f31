import { UnisonoError, type ErrorCode } from '@core/protocol/errors.ts';
import type { Language } from '@core/transcript/types.ts';
import type { Direction } from '@core/translation/directions.ts';
import {
  translateSentence,
  type Sentence,
  type SentenceRequest,
} from '@core/translation/translate-sentence.ts';

/** What is used of https://developer.mozilla.org/docs/Web/API/Translator; workers do not have it. */
interface BuiltInTranslator {
  translate(text: string, options: { readonly signal: AbortSignal }): Promise<string>;
  destroy(): void;
}
interface Pair {
  readonly sourceLanguage: string;
  readonly targetLanguage: string;
}
interface BuiltIn {
  availability(pair: Pair): Promise<'unavailable' | 'downloadable' | 'downloading' | 'available'>;
  create(
    options: Pair & { readonly signal: AbortSignal; monitor(monitor: EventTarget): void },
  ): Promise<BuiltInTranslator>;
}

const builtIn = (): BuiltIn | undefined => (globalThis as { Translator?: BuiltIn }).Translator;

/** This browser has a translator that pages can use. */
export const hasBrowserTranslator = (): boolean => builtIn() !== undefined;

/** The browser's model for one direction. */
export interface BrowserModel extends Direction {
  readonly state: 'downloading' | 'ready' | 'failed';
  /** While it downloads, the share that is there, 0 to 1; null while that is not known. */
  readonly progress: number | null;
  /** Why it failed: `browser-translator-press`, `-unavailable` or `-failed`. */
  readonly error: UnisonoError | null;
}

/** Some browsers wait for a network without an end. Sized against a server that is slow to answer. */
const STALL_MS = 120_000;

/** One answer of the browser is of no use: too long a text, or one it refuses to give out. Others may be. */
const NO_ANSWER: ReadonlySet<string> = new Set(['QuotaExceededError', 'NotReadableError']);

const nameOf = (thrown: unknown): string => (thrown instanceof DOMException ? thrown.name : '');

/**
 * Translates into one language with what the browser has built in, one of its translators per direction. Lives in the
 * page. A model that is not on the device is fetched by {@link fetch} only, never by a sentence.
 */
export class BrowserTranslator {
  readonly #target: Language;
  readonly #changed: (model: BrowserModel) => void;
  readonly #translators = new Map<Language, Promise<BuiltInTranslator>>();
  readonly #end = new AbortController();

  constructor(target: Language, changed: (model: BrowserModel) => void) {
    this.#target = target;
    this.#changed = changed;
  }

  /** @throws an abort, or a UnisonoError when there is no model for it at the moment, which `changed` was told of */
  async translate(request: SentenceRequest): Promise<Sentence> {
    const { from, signal } = request;
    const translator = await (this.#translators.get(from) ?? this.#keep(from, this.#open(from)));
    signal.throwIfAborted();
    return translateSentence(request, (text) => this.#answer(translator, text, request));
  }

  /**
   * Fetches the model from a language; sentences wait for it. Call it in the handler of a press: browsers let a page fetch
   * one model per press. How it goes is told to `changed`.
   */
  fetch(from: Language): void {
    const created = this.#create(from, (progress) => this.#tell(from, { state: 'downloading', progress }));
    this.#tell(from, { state: 'downloading' });
    this.#keep(from, created).catch(() => undefined);
  }

  /** Nothing more is translated: the browser may let go of its models. */
  close(): void {
    this.#end.abort();
    for (const made of this.#translators.values()) this.#destroy(made);
    this.#translators.clear();
  }

  #keep(from: Language, opening: Promise<BuiltInTranslator>): Promise<BuiltInTranslator> {
    const kept = opening.then(
      (translator) => {
        this.#tell(from, { state: 'ready' });
        return translator;
      },
      (thrown: unknown) => {
        this.#translators.delete(from);
        throw this.#fail(from, thrown);
      },
    );
    this.#translators.set(from, kept);
    return kept;
  }

  async #open(from: Language): Promise<BuiltInTranslator> {
    const availability = await builtIn()?.availability(this.#pair(from));
    if (availability === 'downloadable' || availability === 'downloading')
      throw this.#error('browser-translator-press', from);
    if (availability !== 'available') throw this.#error('browser-translator-unavailable', from);
    return this.#create(from);
  }

  /** @param progress hears what share is there while it downloads, 0 to 1 */
  async #create(
    from: Language,
    progress: (share: number) => void = () => undefined,
  ): Promise<BuiltInTranslator> {
    const api = builtIn();
    if (!api) throw this.#error('browser-translator-unavailable', from);
    const stall = new AbortController();
    let timer = 0;
    const goesOn = (): void => {
      clearTimeout(timer);
      timer = window.setTimeout(() => stall.abort(new DOMException('no progress', 'TimeoutError')), STALL_MS);
    };
    goesOn();
    try {
      return await api.create({
        ...this.#pair(from),
        signal: AbortSignal.any([this.#end.signal, stall.signal]),
        monitor: (monitor) =>
          monitor.addEventListener('downloadprogress', (event) => {
            goesOn();
            progress((event as ProgressEvent).loaded);
          }),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(
    translator: BuiltInTranslator,
    text: string,
    { from, signal }: SentenceRequest,
  ): Promise<string | null> {
    try {
      return await translator.translate(text, { signal });
    } catch (thrown) {
      signal.throwIfAborted();
      if (NO_ANSWER.has(nameOf(thrown))) return null;
      const made = this.#translators.get(from);
      if (made) this.#destroy(made);
      this.#translators.delete(from);
      throw this.#fail(from, thrown);
    }
  }

  #destroy(made: Promise<BuiltInTranslator>): void {
    void made.then(
      (translator) => translator.destroy(),
      () => undefined,
    );
  }

  #pair(from: Language): Pair {
    return { sourceLanguage: from, targetLanguage: this.#target };
  }

  #error(code: ErrorCode, from: Language, cause?: unknown): UnisonoError {
    const direction = `${from} → ${this.#target}`;
    return new UnisonoError(code, `The browser does not translate ${direction}.`, {
      cause,
      detail: { direction },
    });
  }

  #fail(from: Language, thrown: unknown): UnisonoError {
    const code =
      nameOf(thrown) === 'NotSupportedError' ? 'browser-translator-unavailable' : 'browser-translator-failed';
    const error = thrown instanceof UnisonoError ? thrown : this.#error(code, from, thrown);
    this.#tell(from, { state: 'failed', error });
    return error;
  }

  #tell(from: Language, change: Pick<BrowserModel, 'state'> & Partial<BrowserModel>): void {
    if (!this.#end.signal.aborted)
      this.#changed({ progress: null, error: null, ...change, from, to: this.#target });
  }
}
