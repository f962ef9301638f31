import { joinTurns, type Span, type SpeakerTurn } from '@core/speakers/turns.ts';
import { randomFrom } from './random.ts';

/** Somebody reads a sentence or two: mono float32 at 16 kHz. */
export interface Utterance {
  readonly speaker: string;
  readonly samples: Float32Array;
}

export interface ConversationPlan {
  readonly seed: number;
  /** How many of the utterances' speakers take part, 2 to 4 as a rule. */
  readonly speakers: number;
  /** The conversation ends with the first turn that reaches this. */
  readonly durationMs: number;
  /** Part of the time with speech in which two speak at once, 0 to 0.2 as a rule. */
  readonly overlap: number;
}

export interface Conversation {
  /** Mono at 16 kHz. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Who speaks when, pauses of {@link PAUSE_MS} and more left out. */
  readonly turns: readonly SpeakerTurn<string>[];
}

const SAMPLES_PER_MS = 16;
const FRAME_MS = 10;
/** Speech is no more than this under the loud parts of its utterance, and this much over the noise of its room. */
const SPEECH_RANGE_DB = 32;
const OVER_NOISE_DB = 6;
const LOUD_PERCENTILE = 0.95;
const NOISE_PERCENTILE = 0.1;
/** Shorter pauses are part of a turn. */
const PAUSE_MS = 250;
const GAP_MS: Range = [150, 900];
const TURN_MS: Range = [1500, 6000];
const OVERLAP_MS: Range = [400, 1500];
/** Every speaker's level, RMS of full scale, and how far it may be off, dB. */
const SPEECH_RMS = 0.06;
const GAIN_DB: Range = [-3, 3];
/** Of the room, RMS of full scale: 46 dB under the speech. */
const NOISE_RMS = 0.0003;

type Range = readonly [least: number, most: number];

/**
 * Lets speakers of read speech talk to each other: turns of 1.5 to 6 s, longer where nobody
 * takes a breath, cut at pauses, in random order, never the same
 * speaker twice in a row, never three at once. Equal plans of equal utterances give equal conversations; a speaker whose
 * utterances are used up begins again.
 */
export function converse(utterances: readonly Utterance[], plan: ConversationPlan): Conversation {
  const random = randomFrom(plan.seed);
  const draw = ([least, most]: Range): number => least + random() * (most - least);
  const names = shuffled([...new Set(utterances.map(({ speaker }) => speaker))], random);
  const voices = names.slice(0, plan.speakers).map((speaker) => {
    const gain = 10 ** (draw(GAIN_DB) / 20);
    const own = shuffled(utterances, random).filter((utterance) => utterance.speaker === speaker);
    const pieces = own.flatMap(({ samples }) => piecesOf(levelled(samples, gain), () => draw(TURN_MS)));
    return { speaker, pieces, next: 0 };
  });
  if (voices.length < 2 || voices.length < plan.speakers) throw new Error('too few speakers to converse');

  const placed: { readonly atMs: number; readonly samples: Float32Array }[] = [];
  const turns: SpeakerTurn<string>[] = [];
  let [endMs, freeMs, speechMs, overlapMs] = [0, 0, 0, 0];
  let last = -1;
  // At first everybody has a turn, so that nobody of the plan is missing.
  for (let turn = 0; endMs < plan.durationMs; turn++) {
    const others = [...voices.keys()].filter((index) => index !== last);
    last = turn < voices.length ? turn : others[Math.floor(random() * others.length)]!;
    const voice = voices[last]!;
    const { samples, speech } = voice.pieces[voice.next++ % voice.pieces.length]!;
    const pieceMs = samples.length / SAMPLES_PER_MS;
    const interrupts = turn > 0 && overlapMs < plan.overlap * speechMs;
    const startMs = interrupts
      ? Math.max(freeMs, endMs - Math.min(draw(OVERLAP_MS), pieceMs / 2))
      : endMs + draw(GAP_MS);
    const atMs = Math.round(startMs);
    placed.push({ atMs, samples });
    turns.push(
      ...speech.map((span) => ({
        startMs: atMs + span.startMs,
        endMs: atMs + span.endMs,
        speaker: voice.speaker,
      })),
    );
    // Whoever speaks next may not begin before the last but one has ended.
    freeMs = endMs;
    overlapMs += Math.max(0, endMs - atMs);
    speechMs += atMs + pieceMs - Math.max(atMs, endMs);
    endMs = Math.max(endMs, atMs + pieceMs);
  }

  const samples = new Float32Array(Math.ceil((endMs + GAP_MS[0]) * SAMPLES_PER_MS));
  for (let i = 0; i < samples.length; i++) samples[i] = NOISE_RMS * Math.sqrt(3) * (2 * random() - 1);
  for (const piece of placed) {
    const from = piece.atMs * SAMPLES_PER_MS;
    piece.samples.forEach((sample, i) => (samples[from + i]! += sample));
  }
  return { samples, turns: joinTurns(turns) };
}

interface Piece {
  readonly samples: Float32Array;
  /** Where in the piece is speech, ms from its start. */
  readonly speech: readonly Span[];
}

/** Cuts an utterance at its pauses into pieces of at least the drawn length; a short rest goes with the one before. */
function piecesOf(samples: Float32Array, length: () => number): Piece[] {
  const groups: Span[][] = [];
  let wantedMs = 0;
  for (const span of speechIn(samples)) {
    const group = groups.at(-1);
    if (!group || group.at(-1)!.endMs - group[0]!.startMs >= wantedMs) {
      groups.push([span]);
      wantedMs = length();
    } else group.push(span);
  }
  const rest = groups.at(-1);
  if (groups.length > 1 && rest && rest.at(-1)!.endMs - rest[0]!.startMs < TURN_MS[0]) {
    groups.pop();
    groups.at(-1)!.push(...rest);
  }
  return groups.map((spans) => {
    const from = spans[0]!.startMs;
    return {
      samples: samples.slice(from * SAMPLES_PER_MS, spans.at(-1)!.endMs * SAMPLES_PER_MS),
      speech: spans.map(({ startMs, endMs }) => ({ startMs: startMs - from, endMs: endMs - from })),
    };
  });
}

/** Where speech is, by its level; a pause is at least {@link PAUSE_MS}. */
function speechIn(samples: Float32Array): Span[] {
  const size = FRAME_MS * SAMPLES_PER_MS;
  const power = Array.from({ length: Math.floor(samples.length / size) }, (_, frame) =>
    meanSquare(samples.subarray(frame * size, (frame + 1) * size)),
  );
  const sorted = power.toSorted((a, b) => a - b);
  const at = (percentile: number): number => sorted[Math.floor(percentile * power.length)] ?? 0;
  const limit = Math.max(
    at(LOUD_PERCENTILE) * 10 ** (-SPEECH_RANGE_DB / 10),
    at(NOISE_PERCENTILE) * 10 ** (OVER_NOISE_DB / 10),
  );
  const frames = power.flatMap((value, frame) =>
    value > limit ? [{ startMs: frame * FRAME_MS, endMs: (frame + 1) * FRAME_MS, speaker: 0 }] : [],
  );
  return joinTurns(frames, PAUSE_MS - 1);
}

function levelled(samples: Float32Array, gain: number): Float32Array {
  const factor = (gain * SPEECH_RMS) / Math.sqrt(meanSquare(samples) || 1);
  return samples.map((sample) => sample * factor);
}

const meanSquare = (samples: Float32Array): number =>
  samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
