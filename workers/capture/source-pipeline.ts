import type { SourceId } from '@core/protocol/ids.ts';
import { SpeechSender, type PostSpeech } from './speech-sender.ts';
import type { VadRunner, VadStream } from './vad-runner.ts';

/** Everything between a source's blocks and the engine: voice detector, gate, messages. */
export class SourcePipeline {
  readonly sourceId: SourceId;
  readonly sender: SpeechSender;
  readonly #vad: VadStream;

  constructor(sourceId: SourceId, vad: VadRunner, post: PostSpeech) {
    this.sourceId = sourceId;
    this.sender = new SpeechSender(sourceId, post);
    this.#vad = vad.newStream();
  }

  /** Blocks in order, one at a time. `samples`: how many of the 512 belong to the source. */
  async push(block: Float32Array, samples: number): Promise<void> {
    const probability = await this.#vad.step(block);
    this.sender.push(block, samples, probability);
  }

  /** What comes next does not follow what was heard. */
  interrupt(): void {
    this.sender.close();
    this.#vad.reset();
  }
}
