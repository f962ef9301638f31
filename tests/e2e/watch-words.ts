import type { Page } from '@playwright/test';

/** Every version of every utterance that was ever on the page, and its words that were shown as certain. */
export interface WatchedWords {
  /** Committed text of each utterance, in the order of its versions, by segment id. */
  committed(): Promise<Record<string, string[]>>;
}

declare global {
  interface Window {
    watchedWords: Record<string, string[]>;
  }
}

/** Call before the page is opened: from then on each change of the transcript's DOM is written down. */
export async function watchWords(page: Page): Promise<WatchedWords> {
  await page.addInitScript(() => {
    window.watchedWords = {};
    const note = () => {
      for (const item of document.querySelectorAll<HTMLElement>('li[data-segment-id]')) {
        const versions = (window.watchedWords[item.dataset.segmentId ?? ''] ??= []);
        const original = item.querySelector('[data-role=original]');
        const committed = [...(original?.childNodes ?? [])]
          .filter((node) => !(node instanceof Element && node.matches('.tentative')))
          .map((node) => node.textContent)
          .join('');
        if (versions.at(-1) !== committed) versions.push(committed);
      }
    };
    new MutationObserver(note).observe(document, { childList: true, subtree: true, characterData: true });
  });
  return { committed: () => page.evaluate(() => window.watchedWords) };
}
