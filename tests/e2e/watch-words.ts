import { expect, type Page } from '@playwright/test';

/** One version of an utterance as it stood on the page. */
export interface ShownVersion {
  readonly state: string;
  /** The words shown as certain: those outside `.tentative`. */
  readonly committed: string;
  /** All words, tentative ones included. */
  readonly text: string;
}

declare global {
  interface Window {
    shownVersions: Record<string, ShownVersion[]>;
  }
}

/**
 * Call before the page is opened: from then on each change of the transcript's DOM is written down.
 * @returns reads every version of every utterance that was ever shown, in order, by segment id
 */
export async function watchWords(page: Page): Promise<() => Promise<Record<string, ShownVersion[]>>> {
  await page.addInitScript(() => {
    window.shownVersions = {};
    const note = () => {
      for (const item of document.querySelectorAll<HTMLElement>('li[data-segment-id]')) {
        const versions = (window.shownVersions[item.dataset.segmentId ?? ''] ??= []);
        const original = item.querySelector('[data-role=original]');
        const committed = [...(original?.childNodes ?? [])]
          .filter((node) => !(node instanceof Element && node.matches('.tentative')))
          .map((node) => node.textContent)
          .join('');
        const now = { state: item.dataset.state ?? '', committed, text: original?.textContent ?? '' };
        if (JSON.stringify(versions.at(-1)) !== JSON.stringify(now)) versions.push(now);
      }
    };
    const changes = { childList: true, subtree: true, characterData: true, attributes: true };
    new MutationObserver(note).observe(document, changes);
  });
  return () => page.evaluate(() => window.shownVersions);
}

/** Words that were shown as certain never changed: each version's begin with those of the version before. */
export function expectNoWordTakenBack(versions: Record<string, ShownVersion[]>): void {
  for (const shown of Object.values(versions)) {
    const story = shown.map(({ state, committed, text }) => `${state}: ${committed} | ${text}`).join('\n');
    for (const [i, { committed }] of shown.slice(1).entries())
      expect(committed.startsWith(shown[i]!.committed), story).toBe(true);
  }
}
