export const ACCEPTED_FILES =
  'audio/*,video/mp4,video/webm,.wav,.mp3,.m4a,.aac,.ogg,.oga,.opus,.flac,.webm,.mp4,.mov,.mkv';

/** Opens the one file field of the page: see FileDrop.svelte. */
export const openFilePicker = (): void =>
  document.querySelector<HTMLInputElement>('input[data-control="file"]')?.click();
