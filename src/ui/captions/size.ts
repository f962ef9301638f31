import { CAPTION_SIZES_PX, type Settings } from '@src/stores/settings.svelte.ts';

export type SizeStep = 1 | -1;

/** The next larger or smaller size of the captions, px; null where there is none. */
export const sizeBeside = (
  sizePx: Settings['captionSizePx'],
  step: SizeStep,
): Settings['captionSizePx'] | null => CAPTION_SIZES_PX[CAPTION_SIZES_PX.indexOf(sizePx) + step] ?? null;
