import type { SessionId, TabId } from '../protocol/ids.ts';
import { LOCKS, PROTOCOL, type ControlMessage, type TabState } from '../protocol/tabs.ts';
import type { Clock } from '../util/clock.ts';
import type { Transport } from './transport.ts';

export interface PresenceParts {
  readonly tab: TabId;
  readonly build: number;
  /** The control channel. */
  readonly control: Transport;
  /** Null where the browser has no Web Locks: then only `tab-gone` tells that a tab is gone. */
  readonly locks: Pick<LockManager, 'query'> | null;
  readonly clock: Clock;
}

/**
 * Which tabs are open and what each does. Lives on a page that has asked for its `LOCKS.tab` before. Each tab tells its own state, when that
 * changes and when asked; that a tab is gone, its lock tells.
 */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #others = new Map<TabId, TabState>();
  readonly #listeners = new Set<() => void>();
  #own: TabState;

  constructor(parts: PresenceParts) {
    const { tab, build, clock, control } = parts;
    this.#parts = parts;
    this.#own = { tab, build, openedAtMs: clock.now(), visible: true, recording: [] };
    control.listen((envelope) => this.#onMessage(envelope.tab, envelope.body as ControlMessage));
    this.#say({ type: 'who' });
    this.#tell();
  }

  /** This tab and the others, in the order they were opened. */
  get tabs(): readonly TabState[] {
    return [this.#own, ...this.#others.values()].sort(
      (first, second) => first.openedAtMs - second.openedAtMs || (first.tab < second.tab ? -1 : 1),
    );
  }

  set(change: Partial<Pick<TabState, 'visible' | 'recording'>>): void {
    const own = { ...this.#own, ...change };
    if (own.visible === this.#own.visible && isSame(own.recording, this.#own.recording)) return;
    this.#own = own;
    this.#tell();
    this.#publish();
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets the tabs that have died without a word. Call before the list is shown. */
  async refresh(): Promise<void> {
    // A tab that is heard of meanwhile may hold its lock since then.
    const known = [...this.#others.values()];
    const snapshot = await this.#parts.locks?.query();
    if (!snapshot) return;
    const living = new Set([...(snapshot.held ?? []), ...(snapshot.pending ?? [])].map(({ name }) => name));
    const gone = known.filter((state) => !living.has(LOCKS.tab(state.tab)));
    for (const state of gone) this.#forget(state.tab);
  }

  close(): void {
    this.#listeners.clear();
    this.#parts.control.close();
  }

  #onMessage(from: TabId, message: ControlMessage): void {
    switch (message.type) {
      case 'who':
        // The page and the capture workers of this tab ask as well.
        if (from === this.#own.tab) break;
        this.#tell();
        // A page that is being unloaded may ask no more.
        this.refresh().catch(() => undefined);
        break;
      case 'tab':
        if (from === this.#own.tab) break;
        this.#others.set(from, message.state);
        this.#publish();
        break;
      case 'tab-gone':
        // Said of this tab while it lives: the others have forgotten it.
        if (message.tab === this.#own.tab) this.#tell();
        else this.#forget(message.tab);
        break;
      default: // Between engines and their clients.
    }
  }

  #forget(tab: TabId): void {
    if (this.#others.delete(tab)) this.#publish();
  }

  #tell(): void {
    this.#say({ type: 'tab', state: this.#own });
  }

  #say(body: ControlMessage): void {
    const { tab, control } = this.#parts;
    control.post({ v: PROTOCOL, epoch: 0, tab, from: 'page', to: '*', body });
  }

  #publish(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const isSame = (first: readonly SessionId[], second: readonly SessionId[]): boolean =>
  first.length === second.length && first.every((id, index) => id === second[index]);
