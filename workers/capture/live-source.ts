import { BLOCK_SAMPLES } from '@core/protocol/audio.ts';
import type { PcmBlock, PcmReturn } from '@core/protocol/pcm.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import { levelOf } from '@core/audio/level.ts';
import type { SourcePipeline } from './source-pipeline.ts';

export interface LiveSourceEvents {
  level(level: { sourceId: SourceId; rms: number; peak: number; speech: boolean }): void;
  /** Gating failed for good: the source delivers nothing any more. */
  failed(error: unknown): void;
  /** The worklet had to allocate: `extraBuffers` so far. */
  late(extraBuffers: number): void;
}

/** A source whose blocks a worklet sends. Each is recorded at once; its buffer goes back when it has been gated. */
export class LiveSource {
  readonly #pipeline: SourcePipeline;
  readonly #port: MessagePort;
  readonly #events: LiveSourceEvents;
  #paused: boolean;
  #ended = false;
  #reported = 0;
  /** Settles when every block that has arrived is gated. */
  #gated: Promise<void> = Promise.resolve();

  constructor(pipeline: SourcePipeline, port: MessagePort, paused: boolean, events: LiveSourceEvents) {
    this.#pipeline = pipeline;
    this.#port = port;
    this.#paused = paused;
    this.#events = events;
    port.onmessage = ({ data }: MessageEvent<PcmBlock>) => this.#receive(data);
  }

  #receive({ samples, extraBuffers }: PcmBlock): void {
    if (extraBuffers >= Math.max(1, 2 * this.#reported)) this.#events.late((this.#reported = extraBuffers));
    if (this.#ended || this.#paused) {
      this.#giveBack(samples);
      return;
    }
    this.#pipeline.record(samples);
    this.#gated = this.#gated
      .then(() => this.#pipeline.gate(samples, BLOCK_SAMPLES))
      .then(() => {
        const { sourceId, sender } = this.#pipeline;
        this.#events.level({ sourceId, ...levelOf(samples), speech: sender.speaking });
      })
      .catch((error: unknown) => {
        if (!this.#ended) this.#events.failed(error);
        this.#ended = true;
      })
      .finally(() => this.#giveBack(samples));
  }

  #giveBack(samples: Float32Array<ArrayBuffer>): void {
    this.#port.postMessage({ type: 'return', samples } satisfies PcmReturn, [samples.buffer]);
  }

  /** Blocks that arrive while paused are dropped: the source's clock stands still. */
  async setPaused(paused: boolean): Promise<void> {
    if (paused === this.#paused) return;
    this.#paused = paused;
    await this.#gated;
    if (paused) this.#pipeline.interrupt();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#gated;
    this.#pipeline.end();
    this.#port.close();
  }
}
