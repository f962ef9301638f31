import { SvelteMap } from 'svelte/reactivity';
import type { VadTier } from '@core/protocol/capture.ts';
import {
  isRecognizer,
  type EngineEvent,
  type HealthEntry,
  type ModelId,
  type ModelStatus,
  type RecognizerId,
} from '@core/protocol/engine.ts';
import type { ErrorCode } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { isTranslator } from '@core/translation/directions.ts';

const MAX_HEALTH_ENTRIES = 500;

interface Lag {
  readonly lagMs: number;
  readonly waitingUtterances: number;
}

/** Speech of a session of this tab that is not final, and whether an engine is there for it. */
export interface Backlog {
  readonly speechMs: number;
  readonly attached: boolean;
}

/** What the models are doing, how far behind they are, and what happened to them. */
export class EngineStatusStore {
  readonly #models = new SvelteMap<ModelId, ModelStatus>();
  #latestModel = $state.raw<RecognizerId | null>(null);
  #health = $state.raw<readonly HealthEntry[]>([]);
  readonly #lags = new SvelteMap<SessionId, Lag>();
  readonly #backlogs = new SvelteMap<SessionId, Backlog>();
  #vad = $state.raw<{ tier: VadTier; reason: string | null } | null>(null);

  get models(): ReadonlyMap<ModelId, ModelStatus> {
    return this.#models;
  }

  /** The recognizer that reported last: with the automatic choice, the one in use. */
  get latestModel(): RecognizerId | null {
    return this.#latestModel;
  }

  get failedTranslators(): readonly ModelStatus[] {
    return [...this.#models.values()].filter(({ model, state }) => state === 'failed' && isTranslator(model));
  }

  /** The oldest first. */
  get health(): readonly HealthEntry[] {
    return this.#health;
  }

  get vad(): { tier: VadTier; reason: string | null } | null {
    return this.#vad;
  }

  /** How far the words of the session are behind. */
  lagMs(id: SessionId): number {
    return this.#lags.get(id)?.lagMs ?? 0;
  }

  /** What waits for an engine, ms; null while every session of this tab has one. */
  get waitingMs(): number | null {
    const waiting = [...this.#backlogs.values()].filter(({ attached }) => !attached);
    return waiting.length === 0 ? null : waiting.reduce((sum, { speechMs }) => sum + speechMs, 0);
  }

  /** Speech of the session that is not final, ms. */
  backlogMs(id: SessionId): number {
    return this.#backlogs.get(id)?.speechMs ?? 0;
  }

  setBacklog(id: SessionId, backlog: Backlog): void {
    this.#backlogs.set(id, backlog);
  }

  setModels(models: readonly ModelStatus[]): void {
    for (const status of models) this.#models.set(status.model, status);
    // A tab that opens later hears of no change: the model was ready before it came.
    const known = models.filter(({ state }) => state !== 'absent').map(({ model }) => model);
    this.#latestModel ??= known.find(isRecognizer) ?? null;
  }

  /** Takes in the log of an engine: what this tab or an earlier engine has said stays. */
  addAllHealth(entries: readonly HealthEntry[]): void {
    const isKnown = (entry: HealthEntry) => this.#health.some((known) => identity(known) === identity(entry));
    const all = [...this.#health, ...entries.filter((entry) => !isKnown(entry))];
    this.#health = all.sort((a, b) => a.atMs - b.atMs).slice(-MAX_HEALTH_ENTRIES);
  }

  setVad(change: { tier: VadTier; reason: string | null }): void {
    this.#vad = change;
  }

  addHealth(entry: HealthEntry): void {
    this.#health = [...this.#health, entry].slice(-MAX_HEALTH_ENTRIES);
  }

  endSession(id: SessionId): void {
    this.#lags.delete(id);
    this.#backlogs.delete(id);
  }

  apply(event: EngineEvent): void {
    if (event.type === 'lag') this.#lags.set(event.sessionId, event);
    else if (event.type === 'health') this.addHealth(event.entry);
    else if (event.type === 'model') {
      const { model } = event.status;
      this.#models.set(model, event.status);
      if (isRecognizer(model)) this.#latestModel = model;
    }
  }
}

const NOT_HAD: ReadonlySet<string> = new Set<ErrorCode>([
  'model-download-failed',
  'model-missing-offline',
  'model-corrupt',
]);

/** The model failed because its files could not be had: a network helps. */
export const isMissing = ({ error }: ModelStatus): boolean => error !== null && NOT_HAD.has(error.code);

const identity = ({ atMs, code, message }: HealthEntry): string => `${atMs} ${code} ${message}`;
