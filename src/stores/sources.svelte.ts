import { SvelteMap } from 'svelte/reactivity';
import type { SourceDescription } from '@core/protocol/engine.ts';
import type { SourceKind } from '@core/protocol/audio.ts';
import type { SourceId } from '@core/protocol/ids.ts';

/** A source that is being captured now. */
export interface ActiveSource {
  readonly sourceId: SourceId;
  readonly kind: SourceKind;
  readonly name: string;
  /** Files only: ms of media read, and in all where the file says. */
  readonly progress: { readonly doneMs: number; readonly totalMs: number | null } | null;
}

export interface Level {
  /** Loudness as drawn, 0 (silence) to 1. */
  readonly height: number;
  readonly speech: boolean;
}

const SILENCE: Level = { height: 0, speech: false };
const FLOOR_DB = -55;
const CEILING_DB = -12;
/** Falls to a tenth in about 0.3 s at 30 levels a second; rises at once. */
const RELEASE = 0.8;

/** Root mean square of a block to a height: linear in decibels, as loudness is heard. */
export function heightOf(rms: number): number {
  const db = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

/** The sources of the running recording, how loud each is and how far each file has been read. */
export class SourcesStore {
  #list = $state.raw<readonly ActiveSource[]>([]);
  readonly #levels = new SvelteMap<SourceId, Level>();
  readonly #loudest: Level = $derived.by(() => {
    let loudest = SILENCE;
    for (const level of this.#levels.values()) {
      loudest = {
        height: Math.max(loudest.height, level.height),
        speech: loudest.speech || level.speech,
      };
    }
    return loudest;
  });

  get list(): readonly ActiveSource[] {
    return this.#list;
  }

  /** All sources together. */
  get loudest(): Level {
    return this.#loudest;
  }

  levelOf(sourceId: SourceId): Level {
    return this.#levels.get(sourceId) ?? SILENCE;
  }

  add({ sourceId, kind }: SourceDescription, name: string): void {
    this.#list = [...this.#list, { sourceId, kind, name, progress: null }];
  }

  remove(sourceId: SourceId): void {
    this.#list = this.#list.filter((source) => source.sourceId !== sourceId);
    this.#levels.delete(sourceId);
  }

  clear(): void {
    this.#list = [];
    this.#levels.clear();
  }

  silence(): void {
    this.#levels.clear();
  }

  setLevel({ sourceId, rms, speech }: { sourceId: SourceId; rms: number; speech: boolean }): void {
    if (!this.#list.some((source) => source.sourceId === sourceId)) return;
    const height = Math.max(heightOf(rms), this.levelOf(sourceId).height * RELEASE);
    this.#levels.set(sourceId, { height, speech });
  }

  setProgress(progress: { sourceId: SourceId; doneMs: number; totalMs: number | null }): void {
    const { sourceId, doneMs, totalMs } = progress;
    this.#list = this.#list.map((source) =>
      source.sourceId === sourceId ? { ...source, progress: { doneMs, totalMs } } : source,
    );
  }
}
