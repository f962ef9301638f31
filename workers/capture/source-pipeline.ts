import type { SourceId } from '@core/protocol/ids.ts';
import type { Journal } from './journal.ts';
import { SpeechSender } from './speech-sender.ts';
import type { Uplink } from './uplink.ts';
import type { VadRunner, VadStream } from './vad-runner.ts';

export interface PipelineParts {
  readonly sourceId: SourceId;
  readonly vad: VadRunner;
  readonly uplink: Pick<Uplink, 'push' | 'unacknowledged'>;
  /** Null where what comes is read from the journal. */
  readonly journal: Journal | null;
  /** The first sample to be gated, if it is not the source's first. */
  readonly origin?: number;
}

/** Everything between a source's blocks and the uplink: journal, voice detector, gate. */
export class SourcePipeline {
  readonly sourceId: SourceId;
  readonly sender: SpeechSender;
  readonly #vad: VadStream;
  readonly #uplink: PipelineParts['uplink'];
  readonly #journal: Journal | null;

  constructor({ sourceId, vad, uplink, journal, origin }: PipelineParts) {
    this.sourceId = sourceId;
    this.sender = new SpeechSender(sourceId, (message) => uplink.push(message), origin);
    this.#vad = vad.newStream();
    this.#uplink = uplink;
    this.#journal = journal;
  }

  /** Samples of speech that no engine has stored. */
  get unacknowledged(): number {
    return this.#uplink.unacknowledged(this.sourceId);
  }

  /** First of all: what is recorded is kept, whatever becomes of it. */
  record(samples: Float32Array): void {
    this.#journal?.append(samples);
  }

  /** Blocks that are recorded, in order, one at a time. `samples`: how many of the 512 belong to the source. */
  async gate(block: Float32Array, samples: number): Promise<void> {
    const probability = await this.#vad.step(block);
    this.sender.push(samples, probability);
  }

  /** Lets the detector hear what comes before the first block. */
  async warmUp(block: Float32Array): Promise<void> {
    await this.#vad.step(block);
  }

  /** What comes next does not follow what was heard. */
  interrupt(): void {
    this.sender.close();
    this.#vad.reset();
    this.#journal?.flush();
  }

  /** The source is over. */
  end(): void {
    this.sender.end();
    this.#journal?.flush();
  }
}
