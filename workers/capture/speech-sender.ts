import { BLOCK_SAMPLES, SAMPLE_RATE_HZ, type SpeechMessage } from '@core/protocol/audio.ts';
import { sampleIndex, type SourceId } from '@core/protocol/ids.ts';
import { SampleRing } from '@core/audio/ring.ts';
import { DEFAULT_GATE, Gate, type GateEvent, type GateOptions } from '@core/vad/gate.ts';

/** Speech goes out in pieces of 256 ms: soon enough for a partial, few enough messages. */
const PACKET_SAMPLES = 8 * BLOCK_SAMPLES;

const CLOCK_SAMPLES = SAMPLE_RATE_HZ;

export type PostSpeech = (message: SpeechMessage, transfer: Transferable[]) => void;

/**
 * One source's way to the engine: runs the gate and sends what it lets through, each sample of an utterance once
 * (after a cut, the next utterance's first samples again). When `speech-pause` goes out, the engine has all
 * that the utterance will hold if `speech-end` follows: it may start on the final text.
 */
export class SpeechSender {
  readonly #sourceId: SourceId;
  readonly #post: PostSpeech;
  readonly #gate: Gate;
  readonly #ring: SampleRing;
  #captured = 0;
  /** Next sample to send of the open utterance. */
  #sent = 0;
  #clockAt = 0;
  #acknowledged = 0;
  /** Complete utterances that are not final yet, [start, end). */
  #waiting: { readonly start: number; readonly end: number }[] = [];

  constructor(sourceId: SourceId, post: PostSpeech, options: GateOptions = DEFAULT_GATE) {
    this.#sourceId = sourceId;
    this.#post = post;
    this.#gate = new Gate(options);
    const heldBlocks = Math.max(options.cutWindowBlocks, options.preRollBlocks + 1);
    this.#ring = new SampleRing(heldBlocks * BLOCK_SAMPLES + PACKET_SAMPLES);
  }

  get speaking(): boolean {
    return this.#gate.speaking;
  }

  /** Samples of the source so far. */
  get captured(): number {
    return this.#captured;
  }

  /** Samples of speech sent that the engine has not made final. */
  get unacknowledged(): number {
    const after = (start: number, end: number) => Math.max(0, end - Math.max(start, this.#acknowledged));
    const open = this.#gate.utterance;
    return this.#waiting.reduce(
      (sum, { start, end }) => sum + after(start, end),
      open === null ? 0 : after(open, this.#sent),
    );
  }

  acknowledge(upTo: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, upTo);
    this.#waiting = this.#waiting.filter(({ end }) => end > this.#acknowledged);
  }

  /** A block of 512 samples, of which the first `samples` belong to the source (fewer only in its last one). */
  push(block: Float32Array, samples: number, probability: number): void {
    this.#ring.write(block);
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
    this.#post({ type: 'source-clock', sourceId: this.#sourceId, captured, ended }, []);
  }

  #tell(events: readonly GateEvent[]): void {
    for (const event of events) {
      const sourceId = this.#sourceId;
      const utterance = sampleIndex(event.utterance);
      switch (event.type) {
        case 'start':
          this.#post({ type: 'speech-start', sourceId, utterance }, []);
          this.#sent = utterance;
          this.#send(this.#captured, utterance);
          break;
        case 'pause':
          this.#send(this.#captured);
          this.#post({ type: 'speech-pause', sourceId, utterance, at: sampleIndex(event.at) }, []);
          break;
        case 'resume':
          this.#post({ type: 'speech-resume', sourceId, utterance }, []);
          break;
        case 'end': {
          // The last block of a source is filled up with silence that is not the source's.
          const end = sampleIndex(Math.min(event.end, this.#captured));
          this.#send(end, utterance);
          this.#post({ type: 'speech-end', sourceId, utterance, end, reason: event.reason }, []);
          if (end > this.#acknowledged) this.#waiting.push({ start: utterance, end });
          break;
        }
        case 'cancel':
          this.#post({ type: 'speech-cancel', sourceId, utterance }, []);
      }
    }
  }

  /** Sends the utterance up to `end`, as far as that has not been done. */
  #send(end: number, utterance = this.#gate.utterance): void {
    if (utterance === null || end <= this.#sent) return;
    const samples = this.#ring.read(this.#sent, end);
    const start = sampleIndex(this.#sent);
    this.#sent = end;
    this.#post(
      { type: 'speech-audio', sourceId: this.#sourceId, utterance: sampleIndex(utterance), start, samples },
      [samples.buffer],
    );
  }
}
