import { samplesToMs, SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { CaptureEvents } from '@core/protocol/capture.ts';
import type { DecodedBlock } from './file-decoder.ts';
import type { SourcePipeline } from './source-pipeline.ts';

/**
 * How much speech may wait for the engine. A file is gated hundreds of times faster than it is recognised; without this
 * limit a long one would fill the disk.
 */
const MAX_UNACKNOWLEDGED_SAMPLES = 60 * SAMPLE_RATE_HZ;

/** Blocks gated before other messages get their turn (about 5 ms), and between two reports of progress. */
const TURN_BLOCKS = 16;
const PROGRESS_BLOCKS = 64;

/** What is read as fast as the voice detector and the engine follow. */
export interface Readable {
  /** Length of the media; null where it is not known. */
  readonly totalMs: number | null;
  /** 512 samples each, of which `samples` are the source's. */
  blocks(): AsyncIterable<DecodedBlock> | Iterable<DecodedBlock>;
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

/** A file being imported, or a journal being read again: as fast as the voice detector and the engine follow. */
export class FileSource {
  readonly #pipeline: SourcePipeline;
  readonly #events: Pick<CaptureEvents, 'progress'>;
  #paused: boolean;
  #ended = false;
  /** Called when something changed that the import may be waiting for. */
  #wake: () => void = () => undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(pipeline: SourcePipeline, paused: boolean, events: Pick<CaptureEvents, 'progress'>) {
    this.#pipeline = pipeline;
    this.#paused = paused;
    this.#events = events;
  }

  /**
   * Resolves when the file's last sample has been gated, or after {@link end}.
   * @throws {UnisonoError} `file-truncated`, `file-not-audio`; what was read is gated all the same
   */
  import(file: Readable): Promise<void> {
    const imported = this.#import(file);
    this.#done = imported.catch(() => undefined);
    return imported;
  }

  async #import(file: Readable): Promise<void> {
    const { sourceId, sender } = this.#pipeline;
    const full = () => this.#pipeline.unacknowledged > MAX_UNACKNOWLEDGED_SAMPLES;
    const progress = () =>
      this.#events.progress({ sourceId, doneMs: samplesToMs(sender.captured), totalMs: file.totalMs });
    progress();
    let blocks = 0;
    try {
      for await (const { block, samples } of file.blocks()) {
        while (!this.#ended && (this.#paused || full()))
          await new Promise<void>((resolve) => (this.#wake = resolve));
        if (this.#ended) break;
        this.#pipeline.record(samples === block.length ? block : block.subarray(0, samples));
        await this.#pipeline.gate(block, samples);
        blocks++;
        if (blocks % PROGRESS_BLOCKS === 0) progress();
        if (blocks % TURN_BLOCKS === 0) await nextTurn();
      }
    } finally {
      this.#pipeline.end();
      progress();
    }
  }

  /** The engine has stored more of it. */
  acknowledged(): void {
    this.#wake();
  }

  /** Nothing is dropped: the import waits. */
  setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
    this.#wake();
    return Promise.resolve();
  }

  /** Stops reading. What was gated is kept and sent. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await this.#done;
  }
}
