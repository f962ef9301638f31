import { MediaQuery } from 'svelte/reactivity';

export const PANELS = ['meetings', 'models', 'tabs', 'settings'] as const;
export type PanelName = (typeof PANELS)[number];

/** Which panel is open beside the transcript (on a phone: as a sheet over it). */
export class PanelStore {
  #open = $state<PanelName | null>(null);
  /** As in MainScreen.svelte. */
  readonly #narrow = new MediaQuery('(max-width: 56.25em)');

  get open(): PanelName | null {
    return this.#open;
  }

  /** A panel is open and lies over the transcript. */
  get isSheet(): boolean {
    return this.#open !== null && this.#narrow.current;
  }

  toggle(panel: PanelName): void {
    this.#open = this.#open === panel ? null : panel;
  }

  close(): void {
    this.#open = null;
  }
}
