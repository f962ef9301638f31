import { describe, expect, test } from 'vitest';
import type { Voice } from '@core/speakers/embedding.ts';
import { FIRST_FRAME_MS, FRAME_MS, LOCAL_SPEAKERS, type LocalActivity } from '@core/speakers/powerset.ts';
import { stitch, voiceSpans, type DiarizationWindow } from '@core/speakers/stitching.ts';
import { lengthMs, overlapsOf, sharedMs, type SpeakerTurn } from '@core/speakers/turns.ts';
import { derPercent, scoreDiarization } from '../../support/der.ts';
import { turn, voice } from '../../support/voices.ts';

const WINDOW_MS = 10_000;
const FRAMES = 589;
const OPTIONS = { threshold: 0.5, minClusterMs: 1000 };

/**
 * What a segmentation without error says of the window: the people who speak in it are its local speakers, in an order
 * that changes from window to window.
 */
function hear(truth: readonly SpeakerTurn<number>[], startMs: number, hopMs: number): DiarizationWindow {
  const window = { startMs, endMs: startMs + WINDOW_MS };
  const people = [...new Set(truth.filter((one) => sharedMs(one, window) > 0).map(({ speaker }) => speaker))];
  const rotated = people.map((_, index) => people[(index + Math.round(startMs / hopMs)) % people.length]!);
  const hard = new Uint8Array(FRAMES * LOCAL_SPEAKERS);
  for (let frame = 0; frame < FRAMES; frame++) {
    const atMs = startMs + FIRST_FRAME_MS + (frame + 0.5) * FRAME_MS;
    for (const { speaker, startMs: from, endMs: to } of truth)
      if (from <= atMs && atMs < to) hard[frame * LOCAL_SPEAKERS + rotated.indexOf(speaker)] = 1;
  }
  const activity: LocalActivity = { frames: FRAMES, hard, soft: Float32Array.from(hard) };
  const voices = Array.from({ length: LOCAL_SPEAKERS }, (_, local): Voice | null => {
    const ms = voiceSpans(activity, local, 800).reduce((sum, span) => sum + lengthMs(span), 0);
    return ms > 0 ? voice(rotated[local]!, ms, 0.4, Math.round(startMs / hopMs) + local) : null;
  });
  return { startMs, activity, voices };
}

function windowsOf(truth: readonly SpeakerTurn<number>[], hopMs: number): DiarizationWindow[] {
  const endMs = Math.max(...truth.map((one) => one.endMs));
  const windows: DiarizationWindow[] = [];
  for (let startMs = 0; startMs === 0 || startMs + WINDOW_MS < endMs + hopMs; startMs += hopMs)
    windows.push(hear(truth, startMs, hopMs));
  return windows;
}

describe('stitching of windows', () => {
  const truth = [
    turn(4, 500, 6000),
    turn(7, 5400, 9000),
    turn(2, 9500, 16_000),
    turn(7, 16_000, 21_000),
    turn(2, 20_000, 26_000),
    // After half a minute without a word of hers.
    turn(4, 36_000, 42_000),
  ];

  test.each([2500, 5000])(
    'every %i ms: the recording is put together, whoever is who in each window',
    (hop) => {
      const { turns } = stitch(windowsOf(truth, hop), OPTIONS);
      expect(derPercent(scoreDiarization(truth, turns))).toBeLessThan(1);
      expect(new Set(turns.map(({ speaker }) => speaker)).size).toBe(3);
      expect(overlapsOf(turns).map(({ startMs }) => Math.round(startMs / 100))).toEqual([54, 200]);
    },
  );

  test('two alike who interrupt each other are told apart where they are heard at once', () => {
    const pair = [turn(0, 0, 5000), turn(1, 4000, 9500)];
    const windows = windowsOf(pair, 5000).map((window) => ({
      ...window,
      voices: window.voices.map((one) => one && voice(0, one.ms)),
    }));
    expect(derPercent(scoreDiarization(pair, stitch(windows, OPTIONS).turns))).toBeLessThan(1);
  });

  test('a word that is too short for a voice in one window belongs to whom the next window knows', () => {
    // In the first window there are only 600 ms of the second speaker, and the first one speaks as well.
    const short = [turn(0, 0, 9000), turn(1, 7000, 7600), turn(1, 13_300, 15_000)];
    const windows = windowsOf(short, 5000);
    expect(windows[0]!.voices.filter((one) => one !== null)).toHaveLength(1);
    const { turns } = stitch(windows, OPTIONS);
    expect(turns.map(({ speaker, startMs }) => [speaker, Math.round(startMs / 100)])).toEqual([
      [0, 0],
      [1, 70],
      [1, 133],
    ]);
  });

  test('a second of noise is no two seconds because two windows hear it', () => {
    const noisy = [turn(0, 0, 12_000), turn(9, 15_000, 16_000), turn(0, 17_000, 30_000)];
    const found = stitch(windowsOf(noisy, 2500), { ...OPTIONS, minClusterMs: 2000, joinDistance: 0.6 });
    expect(found.centroids).toHaveLength(1);
  });

  test('a noise that is nobody leaves no turn', () => {
    const noisy = [turn(0, 0, 6000), turn(9, 7000, 7900)];
    const { turns } = stitch(windowsOf(noisy, 5000), { ...OPTIONS, joinDistance: 0.6 });
    expect(turns).toHaveLength(1);
  });

  test.each([
    { sure: 0.6, people: 1 },
    { sure: 0.9, people: 2 },
  ])('one voice that is heard twice at once with $sure is $people', ({ sure, people }) => {
    // The same person by her voice, taken for a second one in the middle of a sentence.
    const { activity } = hear([turn(0, 0, 5000), turn(1, 4500, 9000)], 0, 5000);
    for (let frame = 0; frame < FRAMES; frame++) {
      const at = frame * LOCAL_SPEAKERS;
      if (activity.hard[at] && activity.hard[at + 1]) activity.soft.fill(sure, at, at + 2);
    }
    const voices = [voice(3, 4500), voice(3, 4500), null];
    const { turns } = stitch([{ startMs: 0, activity, voices }], OPTIONS);
    expect(new Set(turns.map(({ speaker }) => speaker)).size).toBe(people);
  });

  test('never more than two speak at once', () => {
    const crowd = [0, 1, 2].map((speaker) => turn(speaker, 0, 8000));
    const { turns } = stitch(windowsOf(crowd, 5000), OPTIONS);
    expect(Math.max(...overlapsOf(turns).map(({ speakers }) => speakers.length))).toBe(2);
  });

  test('silence has no turns', () => {
    expect(stitch([], OPTIONS).turns).toEqual([]);
    expect(stitch(windowsOf([turn(0, 0, 0)], 5000), OPTIONS).turns).toEqual([]);
  });
});

describe('where a voice is taken from', () => {
  const window = hear([turn(0, 0, 4000), turn(1, 3000, 7000)], 0, 5000);
  const spans = (minMs: number): number[][] =>
    voiceSpans(window.activity, 0, minMs).map(({ startMs, endMs }) =>
      [startMs, endMs].map((ms) => Math.round(ms / 100)),
    );

  test('from where one speaks alone, else from all there is, else from nowhere', () => {
    expect(spans(2500)).toEqual([[0, 30]]);
    expect(spans(3500)).toEqual([[0, 40]]);
    expect(spans(5000)).toEqual([]);
  });
});
