import type { TabId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { holdLock, type Locks } from '@core/util/locks.ts';

/**
 * A lock held by the main thread while it is wanted: browsers do not freeze a hidden page that holds one. A lock of one of its
 * workers does not keep them from it, and a frozen page's workers stand still.
 */
export class Shield {
  readonly #locks: Locks | null;
  readonly #name: string;
  #hold: AbortController | null = null;

  constructor(locks: Locks | null, tab: TabId) {
    this.#locks = locks;
    this.#name = LOCKS.shield(tab);
  }

  set(wanted: boolean): void {
    if (wanted === (this.#hold !== null)) return;
    this.#hold?.abort();
    this.#hold = wanted ? new AbortController() : null;
    if (this.#locks && this.#hold) void holdLock(this.#locks, this.#name, { signal: this.#hold.signal });
  }
}
