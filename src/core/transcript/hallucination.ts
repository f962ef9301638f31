import { normaliseWord } from './alignment.ts';
import { MAX_COMPRESSION_RATIO } from './repetition.ts';
import { textOf, type Word } from './types.ts';

/** What is known of one reading of an utterance. */
export interface Evidence {
  readonly words: readonly Word[];
  readonly durationMs: number;
  /** Mean natural-log probability of the tokens; null if unknown. */
  readonly averageLogProbability: number | null;
  /** Null where the model gives none (Moonshine: it reads noise as nothing by itself). */
  readonly noSpeechProbability: number | null;
  readonly compressionRatio: number;
  /** Stopped by the token limit: a loop, most likely. */
  readonly truncated: boolean;
}

export type DropReason = 'no-speech' | 'low-confidence' | 'repetition' | 'hallucination' | 'empty';

/** `doubtful`: worth a second reading at a higher temperature, and not shown if that is no better. */
export type Verdict =
  { readonly type: 'accept' } | { readonly type: 'doubtful' | 'drop'; readonly reason: DropReason };

/** OpenAI Whisper's limits (whisper/transcribe.py). */
const NO_SPEECH = 0.6;
const LOW_LOG_PROBABILITY = -1;

/**
 * Whisper tiny q8 on noises, tones and silence in pieces of 5 s: where the log probability was above
 * the limit (-0.57 to -0.93, always "you"), the no-speech probability was 0.86 to 0.94. Speech, far
 * microphones included, stayed below 0.7.
 */
const SURELY_NO_SPEECH = 0.85;

/** Below this a phrase that Whisper likes to invent is taken as invented; clear speech has -0.5 and more. */
const WEAK_LOG_PROBABILITY = -0.8;
/** "Thank you." takes a second; nobody stretches it over five. */
const SLOW_WORDS_PER_S = 0.5;
const SLOW_LOG_PROBABILITY = -0.4;

/**
 * What Whisper writes where nothing is said: the ends of subtitled videos. Normalised words,
 * joined; matched as a whole or, with `…`, by its beginning.
 */
const INVENTED_PHRASES = [
  'you',
  'bye',
  'byebye',
  'so',
  'oh',
  'okay',
  'yeah',
  'hmm',
  'music',
  'thankyou',
  'thankyouverymuch',
  'thankyousomuch',
  'thankyouforwatching…',
  'thanksforwatching…',
  'thanksforlistening…',
  'pleasesubscribe…',
  'subscribe…',
  'subtitlesby…',
  'transcriptionby…',
  'gracias',
  'graciasporver…',
  'muchasgracias',
  'subtítulos…',
  'subtitulado…',
  'suscríbete…',
  'merci',
  'mercidavoirregardé…',
  'soustitr…',
  'abonnezvous…',
  '字幕…',
  '謝謝',
  '谢谢',
  '謝謝觀看…',
  '谢谢观看…',
  '請不吝點贊…',
  '请不吝点赞…',
];

/** "[Music]", "(applause)", "*wind*", "♪ … ♪": a note about a sound, not words. */
const SOUND_NOTE = /^[[(*♪（【].*[\])*♪）】]$/u;

const drop = (reason: DropReason): Verdict => ({ type: 'drop', reason });
const doubt = (reason: DropReason): Verdict => ({ type: 'doubtful', reason });

/** Decides whether what a recognizer read was said. */
export function judge(evidence: Evidence): Verdict {
  const { words, averageLogProbability, noSpeechProbability, compressionRatio, truncated } = evidence;
  const text = textOf(words);
  if (words.every((word) => normaliseWord(word.text) === '')) return drop('empty');
  if (SOUND_NOTE.test(text)) return drop('hallucination');
  const logProbability = averageLogProbability ?? 0;
  const noSpeech = noSpeechProbability ?? 0;
  if (noSpeech > NO_SPEECH && logProbability < LOW_LOG_PROBABILITY) return drop('no-speech');
  if (noSpeech > SURELY_NO_SPEECH && logProbability < SLOW_LOG_PROBABILITY) return drop('no-speech');
  if (isInventedPhrase(text) && isWeak(evidence)) return drop('hallucination');
  if (compressionRatio > MAX_COMPRESSION_RATIO || truncated) return doubt('repetition');
  if (logProbability < LOW_LOG_PROBABILITY) return doubt('low-confidence');
  return { type: 'accept' };
}

/** True if the text is one of the phrases that recognizers invent; people say them, too. */
export function isInventedPhrase(text: string): boolean {
  const said = normaliseWord(text);
  return INVENTED_PHRASES.some((phrase) =>
    phrase.endsWith('…') ? said.startsWith(phrase.slice(0, -1)) : said === phrase,
  );
}

function isWeak({ words, durationMs, averageLogProbability, noSpeechProbability }: Evidence): boolean {
  const logProbability = averageLogProbability ?? 0;
  const slow = words.length / (durationMs / 1000) < SLOW_WORDS_PER_S;
  return (
    (noSpeechProbability ?? 0) > NO_SPEECH ||
    logProbability < WEAK_LOG_PROBABILITY ||
    (slow && logProbability < SLOW_LOG_PROBABILITY)
  );
}
