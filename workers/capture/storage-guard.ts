import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { Clock } from '@core/util/clock.ts';

const EVERY_MS = 30_000;
const BYTES_PER_SOURCE_SECOND = 2 * SAMPLE_RATE_HZ;
const LEAST_BYTES = 200e6;
const LEAST_SECONDS = 30 * 60;

export interface StorageGuardParts {
  readonly clock: Clock;
  estimate(): Promise<StorageEstimate>;
  /** Sources that write to the disk now. */
  sources(): number;
  warn(error: UnisonoError): void;
}

/** Warns early, once, when the disk runs out of room for the recording; again after there was room in between. */
export class StorageGuard {
  readonly #parts: StorageGuardParts;
  #low = false;
  #callOff: () => void = () => undefined;
  #closed = false;

  constructor(parts: StorageGuardParts) {
    this.#parts = parts;
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
  }

  async #look(): Promise<void> {
    const { quota, usage } = await this.#parts.estimate().catch((): StorageEstimate => ({}));
    if (this.#closed) return;
    if (quota !== undefined && usage !== undefined) this.#judge(quota - usage);
    this.#callOff = this.#parts.clock.after(EVERY_MS, () => void this.#look());
  }

  #judge(freeBytes: number): void {
    const seconds = freeBytes / (BYTES_PER_SOURCE_SECOND * Math.max(1, this.#parts.sources()));
    const low = freeBytes < LEAST_BYTES || seconds < LEAST_SECONDS;
    if (low && !this.#low) {
      const minutes = Math.max(0, Math.floor(seconds / 60));
      this.#parts.warn(
        new UnisonoError(
          'storage-low',
          `Little room is left on this device: enough to record for about ${minutes} min more. Free some space to be safe; recording goes on.`,
          { detail: { minutes: String(minutes) } },
        ),
      );
    }
    this.#low = low;
  }
}
