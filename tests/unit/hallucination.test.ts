import { describe, expect, test } from 'vitest';
import { judge, type Evidence } from '@core/transcript/hallucination.ts';
import { compressionRatio, cutLoops, MAX_COMPRESSION_RATIO } from '@core/transcript/repetition.ts';
import { textOf, type Word } from '@core/transcript/types.ts';

const words = (text: string): Word[] =>
  text.split(' ').map((word) => ({ text: ` ${word}`, startMs: null, endMs: null }));

/** Clear speech unless said otherwise. */
const evidence = (text: string, change: Partial<Evidence> = {}): Evidence => ({
  words: words(text),
  durationMs: 5000,
  averageLogProbability: -0.2,
  noSpeechProbability: 0.05,
  compressionRatio: 1.2,
  truncated: false,
  ...change,
});

const verdict = (text: string, change: Partial<Evidence> = {}): string => {
  const result = judge(evidence(text, change));
  return result.type === 'accept' ? 'accept' : `${result.type} ${result.reason}`;
};

describe('judge', () => {
  test.each([
    // What Whisper tiny q8 read from clips without speech: text, log probability, no-speech probability.
    ['you', -0.57, 0.935],
    ['you', -0.93, 0.864],
    ['you', -0.81, 0.874],
    ['Thank you.', -1.06, 0.743],
    ['You', -1.71, 0.751],
    ['Yeah.', -1.71, 0.435],
    ['Buh!', -1.33, 0.703],
    ['music', -1.83, 0.391],
  ])('drops what was read from noise: %s (%d, %d)', (text, averageLogProbability, noSpeechProbability) => {
    expect(verdict(text, { averageLogProbability, noSpeechProbability })).toMatch(/^drop/);
  });

  test.each([
    ["You can't even eat this!", -1.62, 0.503],
    ["So, I'm gonna start the engine", -2.04, 0.589],
  ])('doubts a sentence read from noise: %s', (text, averageLogProbability, noSpeechProbability) => {
    expect(verdict(text, { averageLogProbability, noSpeechProbability })).toBe('doubtful low-confidence');
  });

  test.each([
    // What it read from speech.
    ['And so my fellow Americans', -0.22, 0.38],
    ['I just put it on the desk.', -0.64, 0.36],
    ['Hello? Hello?', -0.46, 0.299],
  ])('keeps speech: %s', (text, averageLogProbability, noSpeechProbability) => {
    expect(verdict(text, { averageLogProbability, noSpeechProbability })).toBe('accept');
  });

  test('keeps a clear "thank you" and drops a faint one', () => {
    expect(verdict('Thank you.', { durationMs: 1200, averageLogProbability: -0.45 })).toBe('accept');
    expect(verdict('Thank you.', { durationMs: 1200, averageLogProbability: -0.9 })).toBe(
      'drop hallucination',
    );
    expect(verdict('Thank you.', { durationMs: 5000, averageLogProbability: -0.45 })).toBe(
      'drop hallucination',
    );
    expect(verdict('Subtítulos por la comunidad', { averageLogProbability: -0.9 })).toBe(
      'drop hallucination',
    );
  });

  test('drops notes about sounds and texts without words', () => {
    expect(verdict('[Music]')).toBe('drop hallucination');
    expect(verdict('♪ la la ♪')).toBe('drop hallucination');
    expect(verdict('...')).toBe('drop empty');
  });

  test('works where the model gives no scores', () => {
    expect(verdict('hello there', { averageLogProbability: null, noSpeechProbability: null })).toBe('accept');
  });
});

describe('repetition', () => {
  const loop = 'I think I need to do that. '.repeat(12).trim();

  test('a loop compresses better than any speech', async () => {
    expect(await compressionRatio(loop)).toBeGreaterThan(MAX_COMPRESSION_RATIO);
    const speech =
      'And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country.';
    expect(await compressionRatio(speech)).toBeLessThan(MAX_COMPRESSION_RATIO);
    expect(verdict(loop, { compressionRatio: 8 })).toBe('doubtful repetition');
    expect(await compressionRatio('')).toBe(0);
  });

  test.each([
    [loop, 'I think I need to do that.'],
    ['so the the the the the the end', 'so the end'],
    ['go on go on go on go on go', 'go on'],
  ])('cuts a loop to one turn: %s', (text, rest) => {
    expect(textOf(cutLoops(words(text)).words)).toBe(rest);
    expect(cutLoops(words(text)).outside > 0).toBe(text.startsWith('so'));
  });

  test.each(['no no no no', 'it was the age of wisdom it was the age of foolishness', 'very very good'])(
    'leaves what people say: %s',
    (text) => {
      expect(cutLoops(words(text))).toMatchObject({ words: words(text), cut: 0 });
    },
  );
});
