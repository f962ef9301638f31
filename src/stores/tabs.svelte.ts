import type { EngineReport } from '@core/protocol/engine.ts';
import type { SessionId, TabId } from '@core/protocol/ids.ts';
import type { Owner, TabState } from '@core/protocol/tabs.ts';
import type { Engine } from './engine.ts';

/** The tabs of the app on this device, and which of them owns the engine. */
export class TabsStore {
  readonly #engine: Engine;
  readonly #measureMemory: () => Promise<number | null>;
  #memoryBytes = $state.raw<number | null>(null);
  #measuring = false;
  #list = $state.raw<readonly TabState[]>([]);
  #owner = $state.raw<Owner | null>(null);
  #report = $state.raw<EngineReport | null>(null);
  #reading = false;

  constructor(engine: Engine, measureMemory: () => Promise<number | null>) {
    this.#engine = engine;
    this.#measureMemory = measureMemory;
    this.#list = engine.presence.tabs;
    this.#owner = engine.owner;
    engine.presence.onChange(() => {
      this.#list = engine.presence.tabs;
    });
    engine.onOwner((owner) => {
      this.#owner = owner;
      if (!owner) this.#report = null;
    });
  }

  get self(): TabId {
    return this.#engine.tab;
  }

  /** This tab first, then in the order they were opened. */
  get list(): readonly TabState[] {
    const rank = ({ tab }: TabState) => (tab === this.self ? 0 : 1);
    return this.#list.toSorted((a, b) => rank(a) - rank(b) || a.openedAtMs - b.openedAtMs);
  }

  /** The sessions that other tabs record now, each with its tab. */
  get recordedElsewhere(): readonly { readonly sessionId: SessionId; readonly tab: TabId }[] {
    return this.#list
      .filter(({ tab }) => tab !== this.self)
      .flatMap(({ tab, recording }) => recording.map((sessionId) => ({ sessionId, tab })));
  }

  get owner(): Owner | null {
    return this.#owner;
  }

  /** There is an owner, but its engine does not answer yet. */
  get isStarting(): boolean {
    return this.#owner?.phase === 'booting';
  }

  /** What the engine said of itself last; null while there is none. */
  get report(): EngineReport | null {
    return this.#report;
  }

  /** Of this tab with its workers, bytes: with the models' where it owns the engine. Null while it is not known. */
  get memoryBytes(): number | null {
    return this.#memoryBytes;
  }

  /** Asks the tabs and the engine anew. */
  async refresh(): Promise<void> {
    void this.#measure();
    if (this.#reading) return;
    this.#reading = true;
    try {
      await this.#engine.presence.refresh();
      if (this.#owner) this.#report = await this.#engine.report();
    } catch {
      this.#report = null; // the engine went away: the next refresh asks the next one
    } finally {
      this.#reading = false;
    }
  }

  async #measure(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    this.#memoryBytes = (await this.#measureMemory()) ?? this.#memoryBytes;
    this.#measuring = false;
  }
}
