import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { sampleIndex, type SampleIndex } from '@core/protocol/ids.ts';

/**
 * The source's clock runs ahead of the next utterance's start by up to the gate's pre-roll and
 * what it needs to notice speech: that much silence is never acknowledged.
 */
const UNACKNOWLEDGED_SAMPLES = 2 * SAMPLE_RATE_HZ;

/** How far one source is stored. Utterances are disjoint and known by their first sample. */
export class SourceProgress {
  readonly #open = new Set<SampleIndex>();
  /** Final, and whether stored: an utterance is not read twice because an older one is not done. */
  readonly #settled = new Map<SampleIndex, { stored: boolean }>();
  /** End of the last utterance that is final. */
  #settledUpTo: number;
  #silentUpTo = 0;
  #acknowledged: SampleIndex;

  constructor(acknowledged: SampleIndex) {
    this.#acknowledged = acknowledged;
    this.#settledUpTo = acknowledged;
  }

  /** Everything before is stored, or silent: the sender need not keep it. */
  get acknowledged(): SampleIndex {
    return this.#acknowledged;
  }

  get waitsForStore(): boolean {
    return [...this.#settled.values()].some(({ stored }) => !stored);
  }

  /** @returns false when the utterance is known or stored already: it came twice */
  begin(start: SampleIndex): boolean {
    if (start < this.#acknowledged || this.#open.has(start) || this.#settled.has(start)) return false;
    this.#open.add(start);
    return true;
  }

  /** Nothing was said in it. */
  cancel(start: SampleIndex): void {
    this.#open.delete(start);
  }

  /**
   * The utterance is final up to `end`.
   * @returns how far the source is stored once this utterance and those that settled before it are
   */
  settle(start: SampleIndex, end: SampleIndex): SampleIndex {
    this.#open.delete(start);
    this.#settled.set(start, { stored: false });
    this.#settledUpTo = Math.max(this.#settledUpTo, end);
    return sampleIndex(Math.min(this.#settledUpTo, ...this.#open));
  }

  stored(start: SampleIndex): void {
    const settled = this.#settled.get(start);
    if (settled) settled.stored = true;
  }

  /** The source's clock: silence up to there, but for what is open. */
  hear(captured: SampleIndex, ended: boolean): void {
    this.#silentUpTo = ended ? captured : captured - UNACKNOWLEDGED_SAMPLES;
  }

  /** @returns what is acknowledged now; null when that is not more than before */
  advance(): SampleIndex | null {
    const unstored = [...this.#settled].flatMap(([start, { stored }]) => (stored ? [] : [start]));
    const upTo = Math.min(Math.max(this.#settledUpTo, this.#silentUpTo), ...this.#open, ...unstored);
    if (upTo <= this.#acknowledged) return null;
    this.#acknowledged = sampleIndex(upTo);
    for (const start of this.#settled.keys()) if (start < upTo) this.#settled.delete(start);
    return this.#acknowledged;
  }
}
