import { afterAll, beforeAll, expect, test } from 'vitest';
import { RECOGNIZER_IDS, type RecognizerId } from '@core/protocol/engine.ts';
import { isKnownAnswer } from '@core/text/known-answer.ts';
import { simplifyWords } from '@core/text/chinese.ts';
import { LANGUAGES, textOf } from '@core/transcript/types.ts';
import { knownAnswer } from '../support/engine.ts';
import { clipSamples, spokenClips, TestInference } from '../support/inference.ts';
import { errorRatePercent, score } from '../support/scoring.ts';

const clips = await spokenClips();
const MODELS = ['whisper-tiny', 'moonshine-tiny'] as const satisfies readonly RecognizerId[];

const inference = new TestInference();
beforeAll(async () => {
  await inference.api.configure({ threads: 1, device: 'wasm' });
  for (const model of MODELS) {
    expect(await inference.api.load(model, 'wasm')).toMatchObject({ sessionsCreated: 2 });
  }
});
afterAll(() => inference.dispose());

/** Same noise every time: a linear congruential generator. */
function whiteNoise(samples: number, amplitude: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: samples }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return amplitude * (state / 1_073_741_824 - 1);
  });
}

test.each(MODELS)('%s reads a sentence word for word and is sure of it', async (model) => {
  const { words, averageLogProbability, truncated } = await inference.recognize(model, await knownAnswer());
  expect(isKnownAnswer(textOf(words))).toBe(true);
  expect(averageLogProbability).toBeGreaterThan(-0.5);
  expect(averageLogProbability).toBeLessThan(0);
  expect(truncated).toBe(false);
});

test('Whisper says when each word was said: in order, inside the audio, and joined they are the text', async () => {
  const clip = await knownAnswer();
  const { words } = await inference.recognize('whisper-tiny', clip);
  const times = words.flatMap(({ startMs, endMs }) => [startMs ?? NaN, endMs ?? NaN]);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)).toBeLessThanOrEqual(clip.length / 16);
  expect(words.map(({ text }) => text)).toEqual(
    ' Good| morning| everyone.| Thank| you| for| coming| to| the| meeting| today.'.split('|'),
  );
  // The sentences are 0.4 s apart: the second one starts in the clip's middle.
  expect(words[3]!.startMs).toBeGreaterThan(1300);
  expect(words[3]!.startMs).toBeLessThan(2300);
});

test('words have no times when none are asked for, and never from Moonshine', async () => {
  const clip = await knownAnswer();
  const untimed = await inference.recognize('whisper-tiny', clip, { wordTimestamps: false });
  const moonshine = await inference.recognize('moonshine-tiny', clip);
  for (const { words } of [untimed, moonshine]) {
    expect(words).toHaveLength(11);
    for (const { startMs, endMs } of words) expect([startMs, endMs]).toEqual([null, null]);
  }
});

test('one ticked language is taken as said; of several the spoken one is found', async () => {
  const clip = await knownAnswer();
  const fixed = await inference.recognize('whisper-tiny', clip, { languages: ['es'] });
  expect(fixed.language).toBe('es');
  const found = await inference.recognize('whisper-tiny', clip, { languages: LANGUAGES });
  expect(found.language).toBe('en');
  expect(isKnownAnswer(textOf(found.words))).toBe(true);
});

test.skipIf(clips.length === 0)('English, Spanish, French and Chinese are told apart', async () => {
  const heard: Record<string, string> = {};
  for (const clip of clips) {
    const options = { languages: LANGUAGES, wordTimestamps: false };
    heard[clip.file] = (await inference.recognize('whisper-tiny', await clipSamples(clip), options)).language;
  }
  expect(heard).toEqual(Object.fromEntries(clips.map(({ file, language }) => [file, language])));
});

test.skipIf(clips.length === 0)('Spanish is read right in its own words and spelling', async () => {
  const clip = clips.find(({ language }) => language === 'es')!;
  const { words } = await inference.recognize('whisper-tiny', await clipSamples(clip), {
    languages: LANGUAGES,
  });
  expect(errorRatePercent(score(clip.text, textOf(words), 'es'))).toBeLessThanOrEqual(10);
});

test.skipIf(clips.length === 0)(
  'Chinese comes token by token and is shown in simplified characters',
  async () => {
    const clip = clips.find(({ language }) => language === 'zh')!;
    const { words } = await inference.recognize('whisper-tiny', await clipSamples(clip), {
      languages: ['zh'],
    });
    expect(words.length).toBeGreaterThan(8);
    expect(textOf(words)).toContain('協會分析');
    const simplified = await simplifyWords(words);
    expect(textOf(simplified)).toContain('协会分析');
    expect(simplified.map(({ startMs }) => startMs)).toEqual(words.map(({ startMs }) => startMs));
  },
);

test('a cancelled call stops before its next model step, and the next call is answered', async () => {
  const clip = await knownAnswer();
  const before = await inference.counters();
  await inference.recognize('whisper-tiny', clip);
  const whole = (await inference.counters()).steps - before.steps;
  expect(whole).toBeGreaterThan(12);

  const running = inference.recognize('whisper-tiny', clip);
  const waiting = inference.recognize('moonshine-tiny', clip);
  const outcomes = Promise.allSettled([running, waiting]);
  await inference.api.cancel(running.callId);
  await inference.api.cancel(waiting.callId);
  const aborted = { status: 'rejected', reason: expect.objectContaining({ code: 'aborted' }) as unknown };
  expect(await outcomes).toEqual([aborted, aborted]);
  const after = await inference.counters();
  // The step under way when the cancel came cannot be stopped.
  expect(after.steps - before.steps - whole).toBeLessThanOrEqual(2);
  expect(after.liveTensors).toBe(0);
  expect(textOf((await inference.recognize('moonshine-tiny', clip)).words)).toContain('meeting');
});

test('Whisper doubts what it reads from five seconds of silence and of noise', async () => {
  const speech = await inference.recognize('whisper-tiny', await knownAnswer());
  for (const audio of [new Float32Array(80_000), whiteNoise(80_000, 0.05)]) {
    const { noSpeechProbability, averageLogProbability } = await inference.recognize('whisper-tiny', audio);
    expect(noSpeechProbability).toBeGreaterThan(0.5);
    expect(noSpeechProbability).toBeGreaterThan(2 * (speech.noSpeechProbability ?? 1));
    expect(averageLogProbability).toBeLessThan(speech.averageLogProbability ?? 0);
  }
});

test('Moonshine reads nothing from silence and noise of any length', async () => {
  for (const seconds of [0.05, 0.8, 2, 5]) {
    for (const audio of [new Float32Array(seconds * 16_000), whiteNoise(seconds * 16_000, 0.05)]) {
      expect(textOf((await inference.recognize('moonshine-tiny', audio)).words)).toBe('');
    }
  }
});

test('twenty calls leave no tensor behind', async () => {
  const audio = (await knownAnswer()).subarray(0, 16_000);
  for (let call = 0; call < 20; call += 1) {
    await inference.recognize('moonshine-tiny', audio);
    expect((await inference.counters()).liveTensors).toBe(0);
  }
});

test.each([
  ['exception', 'model-failed'],
  ['out-of-memory', 'out-of-memory'],
] as const)('an injected %s ends one call as %s', async (fault, code) => {
  const clip = await knownAnswer();
  await inference.api.injectFault?.(fault);
  await expect(inference.recognize('moonshine-tiny', clip)).rejects.toMatchObject({ code });
  expect((await inference.counters()).liveTensors).toBe(0);
  expect(textOf((await inference.recognize('moonshine-tiny', clip)).words)).toContain('meeting');
});

test('a model that was not loaded, or not for this device, is refused with a code', async () => {
  const unloaded = RECOGNIZER_IDS.find((id) => !(MODELS as readonly string[]).includes(id))!;
  await expect(inference.recognize(unloaded, new Float32Array(16_000))).rejects.toMatchObject({
    code: 'model-unknown',
  });
  await expect(inference.api.load('moonshine-tiny', 'wasm')).resolves.toMatchObject({ sessionsCreated: 0 });
  await expect(inference.api.load(unloaded, 'webgpu-q8')).rejects.toMatchObject({ code: 'internal' });
});
