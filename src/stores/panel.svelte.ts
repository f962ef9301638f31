export const PANELS = ['meetings', 'models', 'settings'] as const;
export type PanelName = (typeof PANELS)[number];

/** Which panel is open beside the transcript (on a phone: as a sheet over it). */
export class PanelStore {
  #open = $state<PanelName | null>(null);

  get open(): PanelName | null {
    return this.#open;
  }

  toggle(panel: PanelName): void {
    this.#open = this.#open === panel ? null : panel;
  }

  close(): void {
    this.#open = null;
  }
}
