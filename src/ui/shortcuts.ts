import type { App } from '@src/stores/app.svelte.ts';

const FIELDS = 'input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]';
/** Elements that Space itself works on. */
const PRESSABLE = `${FIELDS}, input, button, a, summary, [role=button]`;

/**
 * `R` starts and stops, Space pauses and goes on, `T` translates or not, `C` opens and closes the captions, Escape closes
 * the panel.
 */
export function handleShortcut(event: KeyboardEvent, app: App): void {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') {
    if (!document.querySelector(':popover-open')) app.panel.close();
    return;
  }
  if (!app.settings.current.shortcuts) return;
  const key = event.key.toLowerCase();
  if (key === 'r' && !target.closest(FIELDS)) {
    // A button that was pressed before would take Space for itself; Tab still goes on from there.
    if (target instanceof HTMLElement && target.closest(PRESSABLE)) target.blur();
    void app.toggleRecording();
  } else if (event.key === ' ' && !target.closest(PRESSABLE) && app.recorder.isActive) {
    void app.recorder.togglePause();
  } else if (key === 't' && !target.closest(FIELDS)) {
    // Nobody has said into which language.
    if (!app.translations.toggle()) document.querySelector<HTMLElement>('[data-control=target]')?.click();
  } else if (key === 'c' && !target.closest(FIELDS)) {
    app.captions.toggle();
  } else return;
  event.preventDefault();
}
