import type { ModelId } from '@core/protocol/engine.ts';
import type { Clock } from '@core/util/clock.ts';
import type { Candidate, DeviceFacts } from './ladder.ts';

/**
 * A model that no session uses gives its memory back after this. To load it again takes a second or two, which the
 * recording spends in the journal; a break between two meetings is seldom shorter.
 */
export const IDLE_LIMIT_MS = 5 * 60_000;

/** Of a device's memory, what all weights together may take: decoding takes about as much again, and the page lives there too. */
const SHARE_OF_MEMORY = 1 / 4;
/** Firefox and Safari do not tell: no phone that runs them well has less. */
const UNKNOWN_MEMORY_GIB = 4;

/** What the weights of all models on that device may take, bytes. */
export function weightBudget({ memoryGiB, webgpu }: DeviceFacts, device: Candidate['device']): number {
  const share = (memoryGiB ?? UNKNOWN_MEMORY_GIB) * SHARE_OF_MEMORY * 2 ** 30;
  // An adapter tells of its memory only how large one buffer may be.
  return device === 'webgpu' ? Math.min(share, webgpu?.maxBufferBytes ?? share) : share;
}

/** Weights that are in memory. */
export interface Resident {
  readonly model: ModelId;
  readonly device: Candidate['device'];
  readonly bytes: number;
}

export interface ModelMemoryEffects {
  readonly clock: Clock;
  readonly resident: () => readonly Resident[];
  /** A session reads with it. */
  inUse(model: ModelId): boolean;
  release(model: ModelId, reason: 'idle' | 'room'): Promise<void>;
}

/** Decides which models stay in memory: not those that have long been idle, and no more than the device bears. */
export class ModelMemory {
  readonly #effects: ModelMemoryEffects;
  /** Least recently used first; each with what calls its release off. */
  readonly #used = new Map<ModelId, () => void>();
  #closed = false;

  constructor(effects: ModelMemoryEffects) {
    this.#effects = effects;
  }

  /** The model is wanted now. */
  use(model: ModelId): void {
    this.#used.get(model)?.();
    this.#used.delete(model);
    if (this.#closed) return;
    const release = (): void => {
      if (this.#effects.inUse(model)) this.use(model);
      else void this.#effects.release(model, 'idle');
    };
    this.#used.set(model, this.#effects.clock.after(IDLE_LIMIT_MS, release));
  }

  /** Releases what was used longest ago until there is room, but nothing that is in use. */
  async makeRoom(bytes: number, device: Candidate['device'], budget: number): Promise<void> {
    for (const model of [...this.#used.keys()]) {
      const resident = this.#effects.resident().filter((one) => one.device === device);
      const taken = resident.reduce((sum, one) => sum + one.bytes, 0);
      if (taken + bytes <= budget) return;
      if (resident.some((one) => one.model === model) && !this.#effects.inUse(model)) {
        await this.#effects.release(model, 'room');
      }
    }
  }

  /** Releases nothing any more. */
  close(): void {
    this.#closed = true;
    for (const callOff of this.#used.values()) callOff();
  }
}
