import type { TabId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';

/**
 * A lock held by the main thread while it is wanted: browsers do not freeze a hidden page that holds one. A lock of one of its
 * workers does not keep them from it, and a frozen page's workers stand still.
 */
export class Shield {
  readonly #locks: Pick<LockManager, 'request'> | null;
  readonly #name: string;
  #release: (() => void) | null = null;

  constructor(locks: Pick<LockManager, 'request'> | null, tab: TabId) {
    this.#locks = locks;
    this.#name = LOCKS.shield(tab);
  }

  set(wanted: boolean): void {
    if (wanted === (this.#release !== null)) return;
    this.#release?.();
    this.#release = wanted ? this.#hold() : null;
  }

  #hold(): () => void {
    let release = (): void => undefined;
    const wanted = new Promise<void>((resolve) => (release = resolve));
    void this.#locks?.request(this.#name, () => wanted);
    return release;
  }
}
