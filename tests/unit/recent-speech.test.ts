import { describe, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { sampleIndex } from '@core/protocol/ids.ts';
import { textOf, type Word } from '@core/transcript/types.ts';
import { RecentSpeech } from '@workers/engine/recent-speech.ts';

const seconds = (s: number) => sampleIndex(s * SAMPLE_RATE_HZ);
const speech = (s: number, value = 0.5) => new Float32Array(s * SAMPLE_RATE_HZ).fill(value);
const words = (text: string, startS: number, everyS = 1): Word[] =>
  text.split(' ').map((word, index) => {
    const startMs = (startS + index * everyS) * 1000;
    return { text: ` ${word}`, startMs, endMs: startMs + 500 };
  });

describe('what was said just before an utterance', () => {
  test('is given without the silence between, which makes Whisper stop', () => {
    const recent = new RecentSpeech();
    recent.add(seconds(1), speech(2), words('and so', 1), 'en');
    recent.add(seconds(4), speech(1, 0.25), words('ask', 4), 'en');
    const context = recent.before(seconds(6), 'en');
    expect(textOf(context?.words ?? [])).toBe('and so ask');
    expect(context?.audio).toEqual(Float32Array.of(...speech(2), ...speech(1, 0.25)));
  });

  test('is nothing after a long silence, in another language, or before anything was said', () => {
    const recent = new RecentSpeech();
    expect(recent.before(seconds(4), 'en')).toBeNull();
    recent.add(seconds(1), speech(2), words('and so', 1), 'en');
    expect(recent.before(seconds(6.5), 'en')).toBeNull();
    expect(recent.before(seconds(4), 'fr')).toBeNull();
  });

  test('grows with each utterance and keeps ten seconds at the most, cut before a word', () => {
    const recent = new RecentSpeech();
    recent.add(seconds(0), speech(6), words('one two three four five six', 0), 'en');
    recent.add(seconds(7), speech(6), words('eight nine ten', 7), 'en');
    const context = recent.before(seconds(13), 'en');
    expect(textOf(context?.words ?? [])).toBe('four five six eight nine ten');
    expect(context?.audio).toHaveLength((3 + 6 + 0.1) * SAMPLE_RATE_HZ);
  });

  test('without word times is whole utterances only: text and audio never disagree', () => {
    const untimed = (text: string) => words(text, 0).map((word) => ({ ...word, startMs: null, endMs: null }));
    const recent = new RecentSpeech();
    recent.add(seconds(0), speech(6), untimed('a b c'), 'en');
    expect(textOf(recent.before(seconds(6), 'en')?.words ?? [])).toBe('a b c');
    recent.add(seconds(7), speech(6), untimed('d e f'), 'en');
    expect(textOf(recent.before(seconds(13), 'en')?.words ?? [])).toBe('d e f');
  });

  test('makes ten seconds with the utterance itself: a long one is read on its own', () => {
    const recent = new RecentSpeech();
    recent.add(seconds(0), speech(6), words('one two three four five six', 0), 'en');
    const textBefore = (s: number) =>
      textOf(recent.before(seconds(6), 'en', s * SAMPLE_RATE_HZ)?.words ?? []);
    expect(textBefore(4)).toBe('one two three four five six');
    expect(textBefore(6.5)).toBe('four five six');
    expect(recent.before(seconds(6), 'en', 10 * SAMPLE_RATE_HZ)).toBeNull();
  });
});
