import { SvelteMap } from 'svelte/reactivity';
import type { VadTier } from '@core/protocol/capture.ts';
import type { EngineEvent, HealthEntry, ModelStatus, RecognizerId } from '@core/protocol/engine.ts';
import type { SessionId } from '@core/protocol/ids.ts';

const MAX_HEALTH_ENTRIES = 500;

interface Lag {
  readonly lagMs: number;
  readonly waitingUtterances: number;
}

/** What the models are doing, how far behind they are, and what happened to them. */
export class EngineStatusStore {
  readonly #models = new SvelteMap<RecognizerId, ModelStatus>();
  #latestModel = $state.raw<RecognizerId | null>(null);
  #health = $state.raw<readonly HealthEntry[]>([]);
  readonly #lags = new SvelteMap<SessionId, Lag>();
  #vad = $state.raw<{ tier: VadTier; reason: string | null } | null>(null);

  get models(): ReadonlyMap<RecognizerId, ModelStatus> {
    return this.#models;
  }

  /** The model that reported last: with the automatic choice, the one in use. */
  get latestModel(): RecognizerId | null {
    return this.#latestModel;
  }

  /** The oldest first. */
  get health(): readonly HealthEntry[] {
    return this.#health;
  }

  get vad(): { tier: VadTier; reason: string | null } | null {
    return this.#vad;
  }

  /** Of all sessions that are not finished. */
  get lagMs(): number {
    return Math.max(0, ...[...this.#lags.values()].map(({ lagMs }) => lagMs));
  }

  setModels(models: readonly ModelStatus[]): void {
    for (const status of models) this.#models.set(status.model, status);
  }

  setHealth(entries: readonly HealthEntry[]): void {
    this.#health = entries.slice(-MAX_HEALTH_ENTRIES);
  }

  setVad(change: { tier: VadTier; reason: string | null }): void {
    this.#vad = change;
  }

  addHealth(entry: HealthEntry): void {
    this.#health = [...this.#health, entry].slice(-MAX_HEALTH_ENTRIES);
  }

  endSession(id: SessionId): void {
    this.#lags.delete(id);
  }

  apply(event: EngineEvent): void {
    if (event.type === 'lag') this.#lags.set(event.sessionId, event);
    else if (event.type === 'health') this.addHealth(event.entry);
    else if (event.type === 'model') {
      this.#models.set(event.status.model, event.status);
      this.#latestModel = event.status.model;
    }
  }
}
