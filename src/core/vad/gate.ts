import { BLOCK_MS, BLOCK_SAMPLES } from '../protocol/audio.ts';

/** All lengths are whole blocks of 512 samples (32 ms). */
export interface GateOptions {
  /** A block at or above this probability is speech… */
  readonly threshold: number;
  /** …and speech lasts until a block below this one. */
  readonly negativeThreshold: number;
  /** Taken along from before the first block of speech. */
  readonly preRollBlocks: number;
  /** An utterance with fewer blocks at or above `threshold` is cancelled. */
  readonly minSpeechBlocks: number;
  /** Silence after which the speaker is said to pause; also what an utterance keeps after its last speech. */
  readonly pauseBlocks: number;
  /** Silence that ends an utterance. */
  readonly redemptionBlocks: number;
  /** An utterance this long ends at a shorter silence: `tightRedemptionBlocks`. */
  readonly tightAfterBlocks: number;
  readonly tightRedemptionBlocks: number;
  /** No utterance is longer. */
  readonly maxBlocks: number;
  /** Where the cut of an utterance that reached `maxBlocks` is looked for: its last blocks. */
  readonly cutWindowBlocks: number;
}

const blocks = (ms: number): number => Math.round(ms / BLOCK_MS);

/**
 * Chosen on 99 s of labelled speech, 102 s of noise and 37 clips of single speakers. Silero v6 hears distant speech
 * with little confidence: 0.3/0.2 misses 4.7 % of the labelled speech and lets 1.5 s of noise through, Silero's
 * own 0.5/0.35 misses 7.5 % and lets none through. The redemption spans the pauses of one deliberate sentence
 * (1.0 s in a well-known speech): a piece of a sentence is misread much more often than the whole, and the text is on screen
 * before the utterance ends, because the engine reads it when the pause begins; 28 s is what Whisper's window of 30 s holds safely.
 */
export const DEFAULT_GATE: GateOptions = {
  threshold: 0.3,
  negativeThreshold: 0.2,
  preRollBlocks: blocks(384),
  minSpeechBlocks: blocks(128),
  pauseBlocks: blocks(192),
  redemptionBlocks: blocks(1_184),
  tightAfterBlocks: blocks(15_000),
  tightRedemptionBlocks: blocks(320),
  maxBlocks: blocks(28_000),
  cutWindowBlocks: blocks(10_000),
};

/** Sample indexes on the source's clock; `utterance` is the first sample of the utterance meant. */
export type GateEvent =
  | { readonly type: 'start'; readonly utterance: number }
  | { readonly type: 'pause'; readonly utterance: number; readonly at: number }
  | { readonly type: 'resume'; readonly utterance: number }
  | {
      readonly type: 'end';
      readonly utterance: number;
      readonly end: number;
      readonly reason: 'silence' | 'max-length' | 'source-end';
    }
  | { readonly type: 'cancel'; readonly utterance: number };

interface OpenUtterance {
  /** Block indexes. */
  readonly start: number;
  /** It goes on where one was cut: its speech is real however short. */
  readonly continued: boolean;
  speechBlocks: number;
  /** Block after the last one that held speech. */
  speechEnd: number;
  voiced: boolean;
  paused: boolean;
}

/**
 * Speech probabilities in, one per block; boundaries of utterances out. Utterances are disjoint and in
 * order, their bounds are whole blocks (but for the end of the source), and every block of speech is in one unless
 * the speech around it is shorter than the minimum. Pure: time is the count of blocks.
 */
export class Gate {
  readonly #options: GateOptions;
  /** Probabilities of the last `maxBlocks` blocks; block b at b % length. */
  readonly #history: Float32Array;
  /** Blocks seen. */
  #now = 0;
  /** Block before which no utterance may start: the end of the last one. */
  #floor = 0;
  #open: OpenUtterance | null = null;

  constructor(options: GateOptions = DEFAULT_GATE) {
    const {
      preRollBlocks,
      tightRedemptionBlocks,
      redemptionBlocks,
      pauseBlocks,
      maxBlocks,
      tightAfterBlocks,
    } = options;
    // Or the pre-roll of an utterance could reach the start of the one before, which may have been cancelled.
    if (preRollBlocks >= redemptionBlocks)
      throw new RangeError('pre-roll must be shorter than the redemption');
    if (pauseBlocks > tightRedemptionBlocks)
      throw new RangeError('a pause must be shorter than a redemption');
    if (tightAfterBlocks >= maxBlocks) throw new RangeError('the maximum length must be the longest');
    this.#options = options;
    this.#history = new Float32Array(maxBlocks);
  }

  /** Whether an utterance is open. */
  get speaking(): boolean {
    return this.#open !== null;
  }

  /** First sample of the open utterance. */
  get utterance(): number | null {
    return this.#open ? this.#open.start * BLOCK_SAMPLES : null;
  }

  /** The next block. Returns what it changed, mostly nothing. */
  step(probability: number): readonly GateEvent[] {
    const events: GateEvent[] = [];
    this.#history[this.#now % this.#history.length] = probability;
    this.#now++;
    if (!this.#open) {
      if (probability < this.#options.threshold) return events;
      const start = Math.max(this.#floor, this.#now - 1 - this.#options.preRollBlocks);
      this.#open = this.#begin(start, false, events);
    }
    this.#hear(this.#open, probability, events);
    this.#endIfDue(this.#open, events);
    return events;
  }

  /** The source ends or pauses: an open utterance is closed. */
  close(): readonly GateEvent[] {
    const events: GateEvent[] = [];
    if (this.#open) this.#end(this.#open, this.#keptUntil(this.#open), 'source-end', events);
    this.#floor = this.#now;
    return events;
  }

  #begin(start: number, continued: boolean, events: GateEvent[]): OpenUtterance {
    events.push({ type: 'start', utterance: start * BLOCK_SAMPLES });
    return { start, continued, speechBlocks: 0, speechEnd: start, voiced: false, paused: false };
  }

  /** Hysteresis, and the pause in it. */
  #hear(open: OpenUtterance, probability: number, events: GateEvent[]): void {
    const { threshold, pauseBlocks } = this.#options;
    if (probability >= threshold) open.speechBlocks++;
    open.voiced = this.#isVoiced(open, probability);
    if (open.voiced) {
      open.speechEnd = this.#now;
      if (open.paused) events.push({ type: 'resume', utterance: open.start * BLOCK_SAMPLES });
      open.paused = false;
    } else if (!open.paused && this.#now - open.speechEnd >= pauseBlocks) {
      open.paused = true;
      events.push({
        type: 'pause',
        utterance: open.start * BLOCK_SAMPLES,
        at: open.speechEnd * BLOCK_SAMPLES,
      });
    }
  }

  #endIfDue(open: OpenUtterance, events: GateEvent[]): void {
    const { redemptionBlocks, tightAfterBlocks, tightRedemptionBlocks, maxBlocks } = this.#options;
    const length = this.#now - open.start;
    const redemption = length > tightAfterBlocks ? tightRedemptionBlocks : redemptionBlocks;
    if (this.#now - open.speechEnd >= redemption) this.#end(open, this.#keptUntil(open), 'silence', events);
    else if (length >= maxBlocks) this.#cut(open, events);
  }

  /** Block at which the utterance ends if no more speech follows. */
  #keptUntil(open: OpenUtterance): number {
    return Math.min(this.#now, open.speechEnd + this.#options.pauseBlocks);
  }

  #end(
    open: OpenUtterance,
    end: number,
    reason: 'silence' | 'max-length' | 'source-end',
    events: GateEvent[],
  ): void {
    const utterance = open.start * BLOCK_SAMPLES;
    this.#open = null;
    if (open.speechBlocks < (open.continued ? 1 : this.#options.minSpeechBlocks)) {
      events.push({ type: 'cancel', utterance });
      return;
    }
    this.#floor = end;
    events.push({ type: 'end', utterance, end: end * BLOCK_SAMPLES, reason });
  }

  /** The utterance is at its maximum: ends it at the best place and goes on from there with the next. */
  #cut(open: OpenUtterance, events: GateEvent[]): void {
    const cut = this.#bestCut(Math.max(open.start + 1, this.#now - this.#options.cutWindowBlocks));
    const begun: GateEvent[] = [];
    const next = this.#begin(cut, true, begun);
    for (let block = cut; block < this.#now; block++) {
      const probability = this.#at(block);
      if (probability >= this.#options.threshold) next.speechBlocks++;
      next.voiced = this.#isVoiced(next, probability);
      if (next.voiced) next.speechEnd = block + 1;
    }
    // Nothing was said since the cut: what is said next starts an utterance of its own.
    const over = next.speechBlocks === 0;
    this.#end(open, over ? this.#keptUntil(open) : cut, 'max-length', events);
    if (over) return;
    events.push(...begun);
    this.#open = next;
  }

  #isVoiced(open: OpenUtterance, probability: number): boolean {
    return probability >= (open.voiced ? this.#options.negativeThreshold : this.#options.threshold);
  }

  /**
   * From block `from` on: the middle of the longest silence, or where there is none of two blocks or
   * more, after the block of lowest probability. The later one of equals.
   */
  #bestCut(from: number): number {
    let run = 0;
    let longest = 1;
    let middle: number | null = null;
    let lowest = from;
    for (let block = from; block < this.#now; block++) {
      if (this.#at(block) <= this.#at(lowest)) lowest = block;
      run = this.#at(block) < this.#options.negativeThreshold ? run + 1 : 0;
      if (run > 1 && run >= longest) {
        longest = run;
        middle = block + 1 - (run >> 1);
      }
    }
    return middle ?? lowest;
  }

  #at(block: number): number {
    return this.#history[block % this.#history.length]!;
  }
}
