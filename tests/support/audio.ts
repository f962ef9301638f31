import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concatenate, durationMs, encodeWav, parseWav, resample, silence, type Audio } from './wav.ts';

/** Everything the tests feed the app is at the app's own rate, in Hz. */
const RATE_HZ = 16_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Recordings with ground truth, beside the project and not part of it; null where they are absent. */
export const sharedDir = ((): string | null => {
  const dir = resolve(root, process.env.UNISONO_SHARED ?? '../shared');
  return existsSync(join(dir, 'audio/manifest.json')) ? dir : null;
})();

/** One line of ../shared/audio/manifest.json, as far as it is used here. */
export interface Clip {
  /** Path below ../shared/audio. */
  readonly file: string;
  readonly seconds: number;
  /** ISO 639-1; absent for noise. */
  readonly language?: string;
  /** What is said; the empty text where nothing is. */
  readonly text?: string;
}

/** All clips, none where ../shared is absent. */
export function clips(): readonly Clip[] {
  if (!sharedDir) return [];
  const manifest = JSON.parse(readFileSync(join(sharedDir, 'audio/manifest.json'), 'utf8')) as {
    clips: readonly Clip[];
  };
  return manifest.clips;
}

/** Single speakers with a transcript, in one language. */
export const spokenClips = (language: string): readonly Clip[] =>
  clips().filter((clip) => clip.language === language && clip.text);

export const noiseClips = (): readonly Clip[] => clips().filter((clip) => clip.text === '');

const readWav = (path: string): Audio => resample(parseWav(readFileSync(path)), RATE_HZ);

/** A clip's audio, mono at 16 kHz. */
export const readClip = (clip: Clip): Audio => readWav(join(sharedDir ?? '', 'audio', clip.file));

/** The clip of known text that the app ships for its self-test. */
export const KNOWN_ANSWER = {
  text: 'Good morning everyone. Thank you for coming to the meeting today.',
  audio: (): Audio => readWav(join(root, 'public/known-answer.wav')),
};

/**
 * Silence before the first word: the page opens the device, then its audio graph, then listens. Sized
 * against a cold page on a slow machine; the fake microphone plays from the moment it is opened.
 */
const LEAD_MS = 3000;
/** Silence after a clip: longer than the gate's hang-over, so that each clip is its own utterance. */
const GAP_MS = 2000;

/** What a fake microphone hears, and where each clip lies in it. */
export interface Playlist {
  readonly audio: Audio;
  readonly spans: readonly { readonly startMs: number; readonly endMs: number }[];
}

export function playlist(parts: readonly Audio[]): Playlist {
  const audio: Audio[] = [silence(LEAD_MS, RATE_HZ)];
  const spans: { startMs: number; endMs: number }[] = [];
  let atMs = LEAD_MS;
  for (const part of parts) {
    spans.push({ startMs: atMs, endMs: atMs + durationMs(part) });
    audio.push(part, silence(GAP_MS, RATE_HZ));
    atMs += durationMs(part) + GAP_MS;
  }
  return { audio: concatenate(audio), spans };
}

/**
 * Ten minutes in which nobody speaks: every noise clip in turn, from the second round on mixed with
 * another one at half its level, until the time is full.
 */
export function tenMinutesWithoutSpeech(): Audio {
  const noises = noiseClips().map(readClip);
  const samples = new Float32Array(600 * RATE_HZ);
  for (let at = 0, turn = 0; at < samples.length; turn++) {
    const main = noises[turn % noises.length]!.samples;
    const round = Math.floor(turn / noises.length);
    const under = round === 0 ? null : noises[(turn + round) % noises.length]!.samples;
    for (let i = 0; i < main.length && at + i < samples.length; i++)
      samples[at + i] = main[i]! + (under ? 0.5 * under[i % under.length]! : 0);
    at += main.length;
  }
  return { sampleRateHz: RATE_HZ, samples };
}

/** Writes the audio as a WAV that Chromium's `--use-file-for-fake-audio-capture` plays. */
export function writeWav(path: string, audio: Audio): string {
  writeFileSync(path, encodeWav(audio));
  return path;
}
