import type { ExportedFile } from '@src/export/formats.ts';

/** Hands a file to the browser's downloads. */
export function downloadFile({ name, mimeType, content }: ExportedFile): void {
  const url = URL.createObjectURL(new Blob([content], { type: `${mimeType};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download reads the blob after this task; a minute is far more than it needs to begin.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
