import * as v from 'valibot';
import { RECOGNIZER_IDS, type RecognitionSettings } from '@core/protocol/engine.ts';
import { LANGUAGES, type Language } from '@core/transcript/types.ts';
import { EXPORTED_TEXTS } from '@src/export/wording.ts';

export const THEMES = ['system', 'light', 'dark'] as const;

export const SOURCE_CHOICES = ['microphone', 'tab', 'both'] as const;
export type SourceChoice = (typeof SOURCE_CHOICES)[number];

/** Where a translation stands: under the original, in a column of its own, or in its place. */
export const TRANSLATION_LAYOUTS = ['below', 'beside', 'only'] as const;

/** Who translates: Unisono's own models, or what the browser has built in, where it has. */
export const TRANSLATORS = ['unisono', 'browser'] as const;

/** What the captions show while something is translated. */
export const CAPTION_TEXTS = ['both', 'original', 'translation'] as const;
export const CAPTION_SIZES_PX = [32, 36, 40, 44, 48, 52, 56] as const;

const SettingsSchema = v.object({
  theme: v.fallback(v.picklist(THEMES), 'system'),
  /** Single keys that act at once are in the way of some voice control and screen readers. */
  shortcuts: v.fallback(v.boolean(), true),
  source: v.fallback(v.picklist(SOURCE_CHOICES), 'microphone'),
  /** Null: the system's default microphone. */
  microphoneId: v.fallback(v.nullable(v.string()), null),
  /**
   * Needed when the meeting is heard from loudspeakers beside the microphone. Null: only while a tab is recorded
   * with it. It changes the voice, which costs words.
   */
  echoCancellation: v.fallback(v.nullable(v.boolean()), null),
  /** Off: it removes parts of speech that recognizers use. */
  noiseSuppression: v.fallback(v.boolean(), false),
  /** Off: it drives loud speech into clipping, which costs words; recognizers do not need it loud. */
  autoGainControl: v.fallback(v.boolean(), false),
  recognizer: v.fallback(v.picklist(['auto', ...RECOGNIZER_IDS]), 'auto'),
  languages: v.fallback(v.pipe(v.array(v.picklist(LANGUAGES)), v.minLength(1)), [...LANGUAGES]),
  chineseScript: v.fallback(v.picklist(['simplified', 'traditional']), 'simplified'),
  /** The language chosen last to read in; a tab may read in another one. */
  target: v.fallback(v.nullable(v.picklist(LANGUAGES)), null),
  translator: v.fallback(v.picklist(TRANSLATORS), 'unisono'),
  translationLayout: v.fallback(v.picklist(TRANSLATION_LAYOUTS), 'below'),
  /** What is copied and downloaded of a meeting that is translated. */
  exportedText: v.fallback(v.picklist(EXPORTED_TEXTS), 'both'),
  captionText: v.fallback(v.picklist(CAPTION_TEXTS), 'both'),
  captionSizePx: v.fallback(v.picklist(CAPTION_SIZES_PX), 40),
  /** Off: the audio of a meeting is deleted when its last word is stored. */
  keepAudio: v.fallback(v.boolean(), false),
});

export type Settings = Readonly<v.InferOutput<typeof SettingsSchema>>;

const KEY = 'unisono-settings';

function read(storage: Storage): Settings {
  try {
    return v.parse(SettingsSchema, JSON.parse(storage.getItem(KEY) ?? '{}'));
  } catch {
    return v.parse(SettingsSchema, {});
  }
}

/** What the user chose, kept between visits. A link may override some of it for this visit only. */
export class SettingsStore {
  readonly #storage: Storage;
  #saved: Settings;
  #current: Settings;

  constructor(storage: Storage = localStorage) {
    this.#storage = storage;
    this.#saved = read(storage);
    this.#current = $state.raw(this.#saved);
  }

  get current(): Settings {
    return this.#current;
  }

  /** Whether the microphone's echo cancellation is on, chosen or by itself. */
  get echoCancellation(): boolean {
    return this.#current.echoCancellation ?? this.#current.source === 'both';
  }

  get recognition(): RecognitionSettings {
    const { recognizer, languages, chineseScript } = this.#current;
    return { recognizer, languages, chineseScript };
  }

  set(change: Partial<Settings>): void {
    this.#saved = { ...this.#saved, ...change };
    this.#current = { ...this.#current, ...change };
    this.#storage.setItem(KEY, JSON.stringify(this.#saved));
  }

  /** For this visit only. */
  override(change: Partial<Settings>): void {
    this.#current = { ...this.#current, ...change };
  }

  /** The ticked languages with this one ticked or unticked; the last one stays ticked. */
  toggled(language: Language): Settings['languages'] {
    const ticked = this.#current.languages;
    const next = LANGUAGES.filter((known) => ticked.includes(known) !== (known === language));
    return next.length > 0 ? next : ticked;
  }
}
