import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, type SpeechAudio, type SpeechMessage } from '@core/protocol/audio.ts';
import { sampleIndex, type SampleIndex, type SourceId } from '@core/protocol/ids.ts';
import { DEFAULT_GATE, Gate, type GateEvent, type GateOptions } from '@core/vad/gate.ts';

/** Speech goes out in pieces of 256 ms: soon enough for a partial, few enough messages. */
const PACKET_SAMPLES = 8 * BLOCK_SAMPLES;

const CLOCK_SAMPLES = SAMPLE_RATE_HZ;

/** Samples [start, end) of an utterance, which the journal holds. */
export interface SpeechRange extends Omit<SpeechAudio, 'samples'> {
  readonly end: SampleIndex;
}

/** A {@link SpeechMessage} without its samples. */
export type SpeechDescriptor = Exclude<SpeechMessage, SpeechAudio> | SpeechRange;

/**
 * What one source says to the engine: runs the gate and names what it lets through, each sample of an utterance once
 * (after a cut, the next utterance's first samples again). When `speech-pause` goes out, the engine has all
 * that the utterance will hold if `speech-end` follows: it may start on the final text.
 */
export class SpeechSender {
  readonly #sourceId: SourceId;
  readonly #post: (message: SpeechDescriptor) => void;
  readonly #gate: Gate;
  /** Where the gate's own count of samples begins. */
  readonly #origin: number;
  #captured: number;
  /** Next sample to send of the open utterance. */
  #sent = 0;
  #clockAt: number;

  /** `origin`: the sample at which it begins; later than 0 where earlier ones need not be heard again. */
  constructor(
    sourceId: SourceId,
    post: (message: SpeechDescriptor) => void,
    origin = 0,
    options: GateOptions = DEFAULT_GATE,
  ) {
    this.#sourceId = sourceId;
    this.#post = post;
    this.#gate = new Gate(options);
    this.#origin = origin;
    this.#captured = origin;
    this.#clockAt = origin;
  }

  get speaking(): boolean {
    return this.#gate.speaking;
  }

  /** Samples of the source so far. */
  get captured(): number {
    return this.#captured;
  }

  /** The next block, of which `samples` belong to the source (fewer than 512 only in its last one). */
  push(samples: number, probability: number): void {
    this.#captured += samples;
    this.#tell(this.#gate.step(probability));
    if (this.#gate.speaking && this.#captured - this.#sent >= PACKET_SAMPLES) this.#send(this.#captured);
    if (this.#captured - this.#clockAt >= CLOCK_SAMPLES) this.#tick(false);
  }

  /** Closes an open utterance: recording pauses. */
  close(): void {
    this.#tell(this.#gate.close());
  }

  /** The source is over. */
  end(): void {
    this.close();
    this.#tick(true);
  }

  #tick(ended: boolean): void {
    this.#clockAt = this.#captured;
    const captured = sampleIndex(this.#captured);
    this.#post({ type: 'source-clock', sourceId: this.#sourceId, captured, ended });
  }

  #tell(events: readonly GateEvent[]): void {
    for (const event of events) {
      const sourceId = this.#sourceId;
      const utterance = this.#at(event.utterance);
      switch (event.type) {
        case 'start':
          this.#post({ type: 'speech-start', sourceId, utterance });
          this.#sent = utterance;
          this.#send(this.#captured, utterance);
          break;
        case 'pause':
          this.#send(this.#captured);
          this.#post({ type: 'speech-pause', sourceId, utterance, at: this.#at(event.at) });
          break;
        case 'resume':
          this.#post({ type: 'speech-resume', sourceId, utterance });
          break;
        case 'end': {
          // The last block of a source is filled up with silence that is not the source's.
          const end = sampleIndex(Math.min(this.#at(event.end), this.#captured));
          this.#send(end, utterance);
          this.#post({ type: 'speech-end', sourceId, utterance, end, reason: event.reason });
          break;
        }
        case 'cancel':
          this.#post({ type: 'speech-cancel', sourceId, utterance });
      }
    }
  }

  /** The open utterance up to `end`, as far as that has not been said. */
  #send(end: number, utterance = this.#openUtterance): void {
    if (utterance === null || end <= this.#sent) return;
    const start = sampleIndex(this.#sent);
    this.#sent = end;
    this.#post({
      type: 'speech-audio',
      sourceId: this.#sourceId,
      utterance,
      start,
      end: sampleIndex(end),
    });
  }

  get #openUtterance(): SampleIndex | null {
    return this.#gate.utterance === null ? null : this.#at(this.#gate.utterance);
  }

  #at(gateSample: number): SampleIndex {
    return sampleIndex(this.#origin + gateSample);
  }
}
