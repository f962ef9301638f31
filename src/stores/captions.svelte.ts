import type { PanelStore } from './panel.svelte.ts';
import type { TranscriptsStore } from './transcripts.svelte.ts';

/** Where the captions are: nowhere, over the page, or in a window that floats above others. */
export type CaptionsPlace = 'closed' | 'page' | 'window';

/** The last words in large type, in place of everything else. */
export class CaptionsStore {
  readonly #transcripts: TranscriptsStore;
  readonly #panel: PanelStore;
  #place = $state<CaptionsPlace>('closed');

  constructor(transcripts: TranscriptsStore, panel: PanelStore) {
    this.#transcripts = transcripts;
    this.#panel = panel;
  }

  get place(): CaptionsPlace {
    return this.#place;
  }

  /** Captions are being read, so that the screen has to stay on. */
  get areRead(): boolean {
    const shown = this.#transcripts.shown;
    return this.#place !== 'closed' && shown !== null && this.#transcripts.isLive(shown.meeting.id);
  }

  /** Opens and closes them; those in a window come back to the page. */
  toggle(): void {
    if (this.#place === 'page') this.close();
    else this.open();
  }

  /** Over the page; of what is being said, unless the meeting on the screen is. */
  open(): void {
    this.#panel.close();
    const shown = this.#transcripts.shown;
    const live = this.#transcripts.live.at(-1);
    if (live && !(shown && this.#transcripts.isLive(shown.meeting.id))) this.#transcripts.show(live.id);
    this.#place = 'page';
  }

  moveToWindow(): void {
    this.#place = 'window';
  }

  close(): void {
    this.#place = 'closed';
  }
}
