import { VAD_TIERS, type VadTier } from '@core/protocol/capture.ts';
import { toUnisonoError, UnisonoError } from '@core/protocol/errors.ts';
import { DETECTOR_LOADERS, type Detector, type DetectorLoaders, type DetectorModel } from './vad-models.ts';

/** `reason` is null for the first tier; else it says of each tier above why it does not run. */
export type TierListener = (tier: VadTier, reason: string | null) => void;

/** A source's place in the detector; it starts afresh when the tier changes. */
export interface VadStream {
  /** Probability that the block holds speech. */
  step(block: Float32Array): Promise<number>;
  /** Forget what was heard: the next block does not follow the last one. */
  reset(): void;
}

/**
 * The voice detector of a capture worker: Silero v6, or Silero legacy if that does not load or fails, or
 * loudness. One model serves all sources; their steps run one after the other, as ONNX Runtime's
 * WASM build does not bear two at once.
 */
export class VadRunner {
  readonly #loaders: DetectorLoaders;
  readonly #onTier: TierListener;
  #tierIndex = -1;
  #model: DetectorModel | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #failNext = false;

  private constructor(loaders: DetectorLoaders, onTier: TierListener) {
    this.#loaders = loaders;
    this.#onTier = onTier;
  }

  static async start(onTier: TierListener, loaders: DetectorLoaders = DETECTOR_LOADERS): Promise<VadRunner> {
    const runner = new VadRunner(loaders, onTier);
    await runner.#descend();
    return runner;
  }

  get tier(): VadTier {
    return VAD_TIERS[this.#tierIndex] ?? 'energy';
  }

  newStream(): VadStream {
    let model = this.#model;
    let detector: Detector | null = null;
    return {
      step: (block) => {
        const step = this.#queue.then(() =>
          this.#step(block, () => {
            if (model !== this.#model) detector = null;
            model = this.#model;
            return (detector ??= this.#current().newDetector());
          }),
        );
        this.#queue = step.catch(() => undefined);
        return step;
      },
      reset: () => (detector = null),
    };
  }

  /** Tests: the running tier's next step fails. */
  failNext(): void {
    this.#failNext = true;
  }

  async #step(block: Float32Array, detector: () => Detector): Promise<number> {
    for (;;) {
      try {
        if (this.#failNext) {
          this.#failNext = false;
          throw new Error('failure asked for by a test');
        }
        return await detector().step(block);
      } catch (failure) {
        await this.#descend(this.tier, failure);
      }
    }
  }

  #current(): DetectorModel {
    if (!this.#model) throw new Error('the voice detector has not been started');
    return this.#model;
  }

  /** To the next tier that loads; `failed` is what made the running one unfit. */
  async #descend(failed?: VadTier, failure?: unknown): Promise<void> {
    const reasons = failed ? [`${failed}: ${toUnisonoError(failure).message}`] : [];
    while (++this.#tierIndex < VAD_TIERS.length) {
      const tier = this.tier;
      try {
        this.#model = await this.#loaders[tier]();
        this.#onTier(tier, reasons.length > 0 ? reasons.join('; ') : null);
        return;
      } catch (thrown) {
        reasons.push(`${tier}: ${toUnisonoError(thrown).message}`);
      }
    }
    throw new UnisonoError('vad-degraded', `No voice detector runs here (${reasons.join('; ')}).`);
  }
}
