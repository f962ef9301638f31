import { SAMPLE_RATE_HZ, type SourceClock } from '@core/protocol/audio.ts';
import type { SpeechDescriptor } from './speech-sender.ts';

/** Speech sent and not acknowledged, at most; the oldest utterance always goes in full, or nothing would move. */
export const MAX_IN_FLIGHT_SAMPLES = 20 * SAMPLE_RATE_HZ;

/** An utterance, and what its source said while it was open. */
interface Stretch {
  /** First sample; null for the silence between two utterances. */
  readonly utterance: number | null;
  readonly messages: SpeechDescriptor[];
  /** How many of the messages this engine has been sent. */
  sent: number;
  /** Sample after the last one of the utterance; null while it is open. A cancelled utterance has none. */
  end: number | null;
  /** Sample after the last one said, and after the last one sent. */
  saidUpTo: number;
  sentUpTo: number;
}

const newStretch = (utterance: number | null): Stretch => ({
  utterance,
  messages: [],
  sent: 0,
  end: null,
  saidUpTo: utterance ?? 0,
  sentUpTo: utterance ?? 0,
});

/** What one source has said and no engine has made final, in order. */
export class UplinkLane {
  #stretches: Stretch[] = [];
  #acknowledged = 0;
  /** That the source is over is said to every engine. */
  #ended: SourceClock | null = null;

  /** Everything before this sample is stored. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Samples of speech that are not stored. */
  get unacknowledged(): number {
    return this.#count(({ end, saidUpTo }) => Math.min(end ?? saidUpTo, saidUpTo));
  }

  /** Whether every utterance is over and stored. */
  get settled(): boolean {
    return this.#stretches.every(({ utterance }) => utterance === null);
  }

  /** Whether this engine has been sent everything, the end of the source included. */
  get allSent(): boolean {
    return this.#ended !== null && this.#stretches.every(({ messages, sent }) => sent === messages.length);
  }

  push(message: SpeechDescriptor): void {
    const open = this.#stretches.at(-1);
    if (message.type === 'source-clock') {
      if (message.ended) this.#ended = message;
      this.#tick(message, open);
      return;
    }
    const stretch = open?.utterance === message.utterance ? open : newStretch(message.utterance);
    if (stretch !== open) this.#stretches.push(stretch);
    stretch.messages.push(message);
    if (message.type === 'speech-audio') stretch.saidUpTo = message.end;
    if (message.type === 'speech-end') stretch.end = message.end;
    if (message.type === 'speech-cancel') stretch.end = message.utterance;
  }

  /** In a silence the latest clock says all that those before it said. */
  #tick(message: SourceClock, open: Stretch | undefined): void {
    if (open && (open.utterance === null || open.end === null)) {
      if (open.utterance === null) open.messages.length = open.sent = 0;
      open.messages.push(message);
      return;
    }
    const silence = newStretch(null);
    silence.messages.push(message);
    this.#stretches.push(silence);
  }

  /** Everything before `upTo` is stored. */
  acknowledge(upTo: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, upTo);
    this.#stretches = this.#stretches.filter((stretch) => !this.#isStored(stretch));
  }

  #isStored({ utterance, end, messages, sent }: Stretch): boolean {
    if (utterance === null) return sent === messages.length && messages.at(-1) !== this.#ended;
    return end !== null && utterance < this.#acknowledged && end <= this.#acknowledged;
  }

  /** Another engine: it has been sent nothing yet. */
  restart(): void {
    for (const stretch of this.#stretches) {
      stretch.sent = 0;
      stretch.sentUpTo = stretch.utterance ?? 0;
    }
  }

  /** The next message, if it may go now. It counts as sent after {@link sent}. */
  next(): SpeechDescriptor | null {
    const stretch = this.#stretches.find(({ sent, messages }) => sent < messages.length);
    const message = stretch?.messages[stretch.sent];
    if (!message) return null;
    if (message.type !== 'speech-audio' || this.#isOldest(stretch)) return message;
    const inFlight = this.#count(({ sentUpTo }) => sentUpTo);
    return inFlight + message.end - message.start > MAX_IN_FLIGHT_SAMPLES ? null : message;
  }

  sent(message: SpeechDescriptor): void {
    const stretch = this.#stretches.find(({ sent, messages }) => sent < messages.length);
    if (!stretch) return;
    stretch.sent++;
    if (message.type === 'speech-audio') stretch.sentUpTo = message.end;
  }

  #isOldest(stretch: Stretch | undefined): boolean {
    return stretch === this.#stretches.find(({ utterance }) => utterance !== null);
  }

  #count(upTo: (stretch: Stretch) => number): number {
    return this.#stretches.reduce((sum, stretch) => {
      if (stretch.utterance === null) return sum;
      return sum + Math.max(0, upTo(stretch) - Math.max(stretch.utterance, this.#acknowledged));
    }, 0);
  }
}
