import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { SampleIndex } from '@core/protocol/ids.ts';
import type { Language, Word } from '@core/transcript/types.ts';
import type { StoredProgress } from '@src/storage/database.ts';
import type { SpokenContext } from './inference-protocol.ts';

/** With the utterance itself: speech further back does not help with the next words, and every call pays for it. */
const LONGEST_SAMPLES = 10 * SAMPLE_RATE_HZ;
/** After a longer silence something else begins. */
const LONGEST_GAP_SAMPLES = 3 * SAMPLE_RATE_HZ;
/** Taken along before the first word kept: word times are not exact to the sample. */
const MARGIN_S = 0.1;

/** Times of the words are on the source's clock. */
type Utterance = StoredProgress['recent']['said'][number];

/**
 * The last seconds that one source said, and what was read from them. Whisper tiny reads "ask not" on
 * its own as "And not!", and behind "And so, my fellow Americans" as what it is. Utterances are joined without the
 * silence between them, as faster-whisper does: digital silence in mid-window made Whisper tiny stop there.
 */
export class RecentSpeech {
  #said: readonly Utterance[];
  #language: Language | null;

  /** @param stored what an earlier engine kept */
  constructor({ language, said }: StoredProgress['recent'] = { language: null, said: [] }) {
    this.#language = language;
    this.#said = said;
  }

  /** For the next engine: without it, it would misread what is said right after the change. */
  get stored(): StoredProgress['recent'] {
    return { language: this.#language, said: this.#said };
  }

  /** An utterance is final. `start` and the words' times are on the source's clock. */
  add(start: SampleIndex, audio: Float32Array, words: readonly Word[], language: Language | null): void {
    const before = this.#follows(start, language) ? this.#said : [];
    this.#language = language;
    this.#said = last([...before, { start, audio, words }], LONGEST_SAMPLES);
  }

  /**
   * What was said in that language right before an utterance of `samples` so far; null when that was something
   * else or too long ago, or when the utterance is long enough to be read on its own.
   */
  before(start: SampleIndex, language: Language, samples = 0): SpokenContext | null {
    if (!this.#follows(start, language)) return null;
    const before = last(this.#said, LONGEST_SAMPLES - samples);
    if (before.length === 0) return null;
    const audio = new Float32Array(before.reduce((sum, said) => sum + said.audio.length, 0));
    let at = 0;
    for (const said of before) {
      audio.set(said.audio, at);
      at += said.audio.length;
    }
    return { audio, words: before.flatMap(({ words }) => words) };
  }

  #follows(start: number, language: Language | null): boolean {
    const last = this.#said.at(-1);
    if (!last || language === null || language !== this.#language) return false;
    const gap = start - (last.start + last.audio.length);
    return gap >= 0 && gap <= LONGEST_GAP_SAMPLES;
  }
}

/** The last of the utterances that fit, the first of them from a word on. */
function last(said: readonly Utterance[], samples: number): readonly Utterance[] {
  let room = samples;
  const kept: Utterance[] = [];
  for (const utterance of said.toReversed()) {
    const whole = utterance.audio.length <= room;
    const tail = whole ? utterance : tailOf(utterance, room);
    if (tail) kept.unshift(tail);
    if (!whole) break;
    room -= utterance.audio.length;
  }
  return kept;
}

/** Its last words and their audio; null when its words have no times to tell which audio is theirs. */
function tailOf({ start, audio, words }: Utterance, samples: number): Utterance | null {
  const earliest = start + audio.length - samples;
  const sampleOf = ({ startMs }: Word): number =>
    startMs === null ? -1 : Math.floor((startMs / 1000 - MARGIN_S) * SAMPLE_RATE_HZ);
  const first = words.findIndex((word) => sampleOf(word) >= earliest);
  const firstWord = words[first];
  if (!firstWord) return null;
  const cut = sampleOf(firstWord);
  return { start: cut, audio: audio.slice(cut - start), words: words.slice(first) };
}
