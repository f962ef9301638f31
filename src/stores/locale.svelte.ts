import { getLocale, setLocale, type Locale } from '@src/paraglide/runtime.js';

/** The language of the interface. Texts are read anew when the UI is drawn again under another one. */
export class LocaleStore {
  #current = $state.raw<Locale>(getLocale());

  constructor() {
    document.documentElement.lang = this.#current;
  }

  get current(): Locale {
    return this.#current;
  }

  set(locale: Locale): void {
    void setLocale(locale, { reload: false });
    document.documentElement.lang = locale;
    this.#current = locale;
  }
}
