import { BLOCK_MS } from '../protocol/audio.ts';

/** Quieter than this is silence whatever the noise floor, dBFS. */
const SILENCE_DBFS = -60;

/** Over the noise floor, dB: where the probability is one half, and how steep it is there. */
const SPEECH_OVER_FLOOR_DB = 10;
const SLOPE_DB = 2;

/** The floor falls to a quieter level within a tenth of a second and rises slowly: speech must not lift it. */
const FALL_PER_BLOCK = 0.3;
const RISE_DB_PER_S = 1.5;

/**
 * Speech by loudness alone, for when no model runs: the level over a noise floor that follows the
 * quietest of the last seconds. Music and sudden noise pass it.
 */
export class EnergyDetector {
  #floorDbfs: number | null = null;

  /** Probability in [0, 1] that a block of this RMS (of full scale) is speech. */
  step(rms: number): number {
    const levelDbfs = 20 * Math.log10(rms + 1e-6);
    const floor = (this.#floorDbfs ??= Math.max(levelDbfs, SILENCE_DBFS));
    const difference = levelDbfs - floor;
    this.#floorDbfs =
      difference < 0
        ? Math.max(SILENCE_DBFS - SPEECH_OVER_FLOOR_DB, floor + difference * FALL_PER_BLOCK)
        : floor + Math.min(difference, (RISE_DB_PER_S * BLOCK_MS) / 1000);
    if (levelDbfs < SILENCE_DBFS) return 0;
    return 1 / (1 + Math.exp(-(difference - SPEECH_OVER_FLOOR_DB) / SLOPE_DB));
  }

  reset(): void {
    this.#floorDbfs = null;
  }
}
