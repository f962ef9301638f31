import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_SAMPLES } from '../../src/core/protocol/audio.ts';
import type { SourceId } from '../../src/core/protocol/ids.ts';
import { DEFAULT_GATE, Gate, type GateEvent, type GateOptions } from '../../src/core/vad/gate.ts';
import { SpeechSender, type SpeechDescriptor } from '../../workers/capture/speech-sender.ts';

/** Small lengths, so that a hundred blocks reach every transition. */
const SMALL: GateOptions = {
  threshold: 0.5,
  negativeThreshold: 0.3,
  preRollBlocks: 3,
  minSpeechBlocks: 2,
  pauseBlocks: 2,
  redemptionBlocks: 5,
  tightAfterBlocks: 14,
  tightRedemptionBlocks: 3,
  maxBlocks: 20,
  cutWindowBlocks: 8,
};

const run = (options: GateOptions, probabilities: readonly number[]): GateEvent[] => {
  const gate = new Gate(options);
  const events = probabilities.flatMap((probability) => [...gate.step(probability)]);
  return [...events, ...gate.close()];
};

const at = (blocks: number) => blocks * BLOCK_SAMPLES;
const repeat = (count: number, probability: number) => Array.from({ length: count }, () => probability);

describe('gate', () => {
  it('takes pre-roll along, hints at the pause, ends after the redemption and keeps the tail', () => {
    const events = run(SMALL, [...repeat(10, 0), ...repeat(4, 0.9), ...repeat(8, 0)]);
    expect(events).toEqual([
      { type: 'start', utterance: at(7) },
      { type: 'pause', utterance: at(7), at: at(14) },
      { type: 'end', utterance: at(7), end: at(16), reason: 'silence' },
    ]);
  });

  it('goes on when the speaker does', () => {
    const events = run(SMALL, [...repeat(4, 0.9), ...repeat(4, 0), ...repeat(4, 0.9)]);
    expect(events.map(({ type }) => type)).toEqual(['start', 'pause', 'resume', 'end']);
  });

  it('does not flicker between the thresholds', () => {
    expect(run(SMALL, [...repeat(10, 0.4)])).toEqual([]);
    const events = run(SMALL, [...repeat(2, 0.9), ...repeat(10, 0.4), 0, 0, 0, 0, 0]);
    expect(events.at(-1)).toEqual({ type: 'end', utterance: 0, end: at(14), reason: 'silence' });
  });

  it('forgets a click', () => {
    const events = run(SMALL, [...repeat(5, 0), 0.9, ...repeat(8, 0)]);
    expect(events.map(({ type }) => type)).toEqual(['start', 'pause', 'cancel']);
  });

  it('cuts a monologue at its longest pause, and goes on from exactly there', () => {
    const speech = [...repeat(14, 0.9), 0.1, 0.1, ...repeat(3, 0.9), 0, 0.9, ...repeat(6, 0.9)];
    const events = run({ ...SMALL, tightRedemptionBlocks: 4 }, speech);
    const boundaries = events.filter(({ type }) => type === 'start' || type === 'end');
    expect(boundaries.slice(0, 3)).toEqual([
      { type: 'start', utterance: 0 },
      { type: 'end', utterance: 0, end: at(15), reason: 'max-length' },
      { type: 'start', utterance: at(15) },
    ]);
  });

  it('cuts where speech is least likely if there is no pause', () => {
    const speech = [...repeat(15, 0.9), 0.35, ...repeat(10, 0.9)];
    expect(run(SMALL, speech)[1]).toMatchObject({ type: 'end', end: at(15), reason: 'max-length' });
  });

  it('does not begin an utterance of silence after a cut', () => {
    const speech = [...repeat(18, 0.9), ...repeat(12, 0)];
    const events = run({ ...SMALL, tightRedemptionBlocks: 4 }, speech);
    expect(events.filter(({ type }) => type !== 'pause')).toEqual([
      { type: 'start', utterance: 0 },
      { type: 'end', utterance: 0, end: at(20), reason: 'max-length' },
    ]);
  });

  it('refuses lengths that contradict one another', () => {
    expect(() => new Gate({ ...SMALL, preRollBlocks: 5 })).toThrow(RangeError);
    expect(() => new Gate({ ...SMALL, tightRedemptionBlocks: 1 })).toThrow(RangeError);
    expect(() => new Gate({ ...SMALL, tightAfterBlocks: 20 })).toThrow(RangeError);
  });
});

interface Utterance {
  readonly start: number;
  readonly chunks: number[];
  end: number | null;
}

/** Rebuilds utterances from the messages as an engine would, checking the order of messages on the way. */
function receive(messages: readonly SpeechDescriptor[]): Utterance[] {
  const done: Utterance[] = [];
  let open: Utterance | null = null;
  for (const message of messages) {
    if (message.type === 'source-clock') continue;
    if (message.type === 'speech-start') {
      expect(open).toBeNull();
      open = { start: message.utterance, chunks: [], end: null };
      continue;
    }
    if (!open) throw new Error(`${message.type} without an utterance`);
    expect(message.utterance).toBe(open.start);
    if (message.type === 'speech-audio') {
      expect(message.start).toBe(open.start + open.chunks.length);
      for (let sample = message.start as number; sample < message.end; sample++) open.chunks.push(sample);
    } else if (message.type === 'speech-end') {
      open.end = message.end;
      expect(open.chunks.length).toBeGreaterThanOrEqual(message.end - open.start);
      open.chunks.length = message.end - open.start;
      done.push(open);
      open = null;
    } else if (message.type === 'speech-cancel') {
      open = null;
    }
  }
  expect(open).toBeNull();
  return done;
}

/** What is said in turns: stretches of one probability, as speech comes; and noise on top. */
const conversation = fc
  .array(
    fc.record({
      blocks: fc.integer({ min: 1, max: 30 }),
      level: fc.constantFrom(0, 0.2, 0.4, 0.6, 0.95),
      noise: fc.array(fc.double({ min: -0.15, max: 0.15, noNaN: true }), { minLength: 1, maxLength: 7 }),
    }),
    { maxLength: 14 },
  )
  .map((turns) =>
    turns.flatMap(({ blocks, level, noise }) =>
      Array.from({ length: blocks }, (_, i) =>
        Math.min(1, Math.max(0, level + (noise[i % noise.length] ?? 0))),
      ),
    ),
  );

describe('gate and sender', () => {
  it('lose no speech, repeat none, and keep every sample in its place', () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 1, max: BLOCK_SAMPLES }), (probabilities, lastSamples) => {
        const messages: SpeechDescriptor[] = [];
        const sender = new SpeechSender('s' as SourceId, (message) => messages.push(message), 0, SMALL);
        const total = Math.max(0, (probabilities.length - 1) * BLOCK_SAMPLES + lastSamples);
        probabilities.forEach((probability, b) => {
          sender.push(b === probabilities.length - 1 ? lastSamples : BLOCK_SAMPLES, probability);
        });
        sender.end();
        const utterances = receive(messages);

        const timeline: number[] = [];
        for (const { start, chunks, end } of utterances) {
          expect(start).toBeGreaterThanOrEqual(timeline.length); // disjoint and in order
          expect((end ?? Infinity) - start).toBeLessThanOrEqual(SMALL.maxBlocks * BLOCK_SAMPLES);
          while (timeline.length < start) timeline.push(timeline.length); // the gap
          timeline.push(...chunks);
        }
        while (timeline.length < total) timeline.push(timeline.length);
        expect(timeline.length).toBe(total);
        expect(timeline.every((sample, i) => sample === i)).toBe(true);

        let run = 0;
        probabilities.forEach((probability, b) => {
          run = probability >= SMALL.threshold ? run + 1 : 0;
          if (run < SMALL.minSpeechBlocks) return;
          for (let speech = b - run + 1; speech <= b; speech++) {
            const first = speech * BLOCK_SAMPLES;
            const last = Math.min(first + BLOCK_SAMPLES, total);
            expect(utterances.some(({ start, end }) => start <= first && (end ?? 0) >= last)).toBe(true);
          }
        });
        const clock = messages.at(-1);
        expect(clock).toMatchObject({ type: 'source-clock', captured: total, ended: true });
      }),
      { numRuns: 300 },
    );
  });

  it('has sent all that an utterance will hold when it says that the speaker pauses', () => {
    fc.assert(
      fc.property(conversation, (probabilities) => {
        const messages: SpeechDescriptor[] = [];
        const sender = new SpeechSender('s' as SourceId, (message) => messages.push(message), 0, SMALL);
        for (const probability of probabilities) sender.push(BLOCK_SAMPLES, probability);
        let sent = 0;
        let sentAtPause: number | null = null;
        for (const message of messages) {
          if (message.type === 'speech-start' || message.type === 'speech-resume') sentAtPause = null;
          if (message.type === 'speech-audio') sent = message.end;
          if (message.type === 'speech-pause') sentAtPause = sent;
          if (message.type === 'speech-end' && message.reason === 'silence')
            expect(sentAtPause).toBeGreaterThanOrEqual(message.end);
        }
      }),
    );
  });

  it('begins where it is told to, and counts from the start of the source', () => {
    const messages: SpeechDescriptor[] = [];
    const sender = new SpeechSender('s' as SourceId, (message) => messages.push(message), 1000, SMALL);
    for (let i = 0; i < 6; i++) sender.push(BLOCK_SAMPLES, 0.9);
    sender.end();
    expect(receive(messages).map(({ start, end }) => [start, end])).toEqual([[1000, 1000 + at(6)]]);
    expect(messages.at(-1)).toMatchObject({ captured: 1000 + at(6), ended: true });
  });

  it('closes the utterance when recording pauses, and goes on without overlap', () => {
    const messages: SpeechDescriptor[] = [];
    const sender = new SpeechSender('s' as SourceId, (message) => messages.push(message), 0, SMALL);
    for (let i = 0; i < 6; i++) sender.push(BLOCK_SAMPLES, 0.9);
    sender.close();
    for (let i = 0; i < 6; i++) sender.push(BLOCK_SAMPLES, 0.9);
    sender.end();
    expect(receive(messages).map(({ start, end }) => [start, end])).toEqual([
      [0, at(6)],
      [at(6), at(12)],
    ]);
  });

  it('keeps its lengths as documented', () => {
    expect(DEFAULT_GATE.maxBlocks * BLOCK_SAMPLES).toBeLessThanOrEqual(28 * 16_000);
  });
});
