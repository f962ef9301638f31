import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dot } from '@core/speakers/embedding.ts';
import { decodePowerset, localTurns } from '@core/speakers/powerset.ts';
import { lengthMs, msBySpeaker, overlapsOf, regionsOf } from '@core/speakers/turns.ts';
import { converse } from '../support/conversations.ts';
import { knownAnswer } from '../support/engine.ts';
import { TestInference } from '../support/inference.ts';
import { loadReaders } from '../support/readers.ts';

const WINDOW = 160_000;
const CLASSES = 7;
const readers = await loadReaders('/shared/audio/', ['2414', '3005']);
const hub = readers !== null && (await fetch('/shared/models/README.md')).ok;

describe.skipIf(!hub)('speaker models', () => {
  const inference = new TestInference();
  beforeAll(async () => {
    await inference.api.configure({ threads: 1, device: 'wasm' });
    for (const model of ['pyannote-segmentation-3.0', 'wespeaker-resnet34-lm'] as const) {
      const report = await inference.api.load(model, 'wasm');
      expect(report).toMatchObject({ sessionsCreated: 1 });
      expect(report.bytes).toBeGreaterThan(1e6);
    }
  });
  afterAll(() => inference.dispose());

  const noTensorIsLeft = async () => expect((await inference.counters()).liveTensors).toBe(0);

  test.each(['pyannote-segmentation-3.0', 'wespeaker-resnet34-lm'] as const)(
    '%s passes its self-test',
    async (model) => {
      const report = await inference.api.selfTest(model);
      expect(report.right, report.text).toBe(true);
      expect(report.decodeMs).toBeGreaterThan(0);
      await noTensorIsLeft();
    },
  );

  test('ten seconds give 589 frames of probabilities that add up to one', async () => {
    const frames = await inference.segment(new Float32Array(WINDOW));
    expect(frames).toHaveLength(589 * CLASSES);
    for (let at = 0; at < frames.length; at += CLASSES) {
      const sum = frames.subarray(at, at + CLASSES).reduce((total, value) => total + Math.exp(value), 0);
      expect(sum).toBeCloseTo(1, 3);
    }
    await noTensorIsLeft();
  });

  test('of a short window only what was heard is told', async () => {
    const clip = await knownAnswer();
    const { frames, hard } = decodePowerset(await inference.segment(clip));
    expect(frames).toBe(Math.floor((clip.length - 495.5) / 270) + 1);
    const speechMs = regionsOf(localTurns(hard)).reduce((sum, region) => sum + lengthMs(region), 0);
    expect(speechMs).toBeGreaterThan(0.5 * (clip.length / 16));
  });

  test('silence is nobody, and a window of nothing has no frames', async () => {
    const { hard } = decodePowerset(await inference.segment(new Float32Array(WINDOW)));
    expect(hard).not.toContain(1);
    expect(await inference.segment(new Float32Array(0))).toHaveLength(0);
  });

  test('who talk to each other are heard as two, and where both talk at once', async () => {
    const plan = { seed: 5, speakers: 2, durationMs: 10_000, overlap: 0.3 };
    const { samples } = converse(readers ?? [], plan);
    const { hard } = decodePowerset(await inference.segment(samples.subarray(0, WINDOW)));
    const turns = localTurns(hard);
    const long = [...msBySpeaker(turns).values()].filter((ms) => ms > 1000);
    expect(long.length).toBeGreaterThanOrEqual(2);
    expect(overlapsOf(turns).length).toBeGreaterThan(0);
  });

  test('two voices are told apart by the angle between their vectors', async () => {
    const voices: { speaker: string; embedding: Float32Array }[] = [];
    for (const { speaker, samples } of readers ?? []) {
      voices.push({ speaker, embedding: await inference.embed(samples) });
    }
    const cosines = { same: [] as number[], other: [] as number[] };
    voices.forEach((a, index) => {
      expect(dot(a.embedding, a.embedding)).toBeCloseTo(1, 4);
      for (const b of voices.slice(index + 1)) {
        cosines[a.speaker === b.speaker ? 'same' : 'other'].push(dot(a.embedding, b.embedding));
      }
    });
    expect(Math.min(...cosines.same)).toBeGreaterThan(Math.max(...cosines.other));
    await noTensorIsLeft();
  });

  test('a call that waits for its turn and is called off takes no step', async () => {
    const { samples } = readers!.find((reader) => reader.samples.length > WINDOW)!;
    const before = (await inference.counters()).steps;
    const first = inference.segment(samples.slice(0, WINDOW));
    const second = inference.embed(samples);
    const third = inference.segment(samples.slice(0, WINDOW));
    const calledOff = [second, third].map((call) => expect(call).rejects.toMatchObject({ code: 'aborted' }));
    await Promise.all([second, third].map(({ callId }) => inference.api.cancel(callId)));
    await Promise.all(calledOff);
    expect((await first).length).toBe(CLASSES * 589);
    expect((await inference.counters()).steps).toBe(before + 1);
    await noTensorIsLeft();
  });

  test('too long a window and too short a voice are refused', async () => {
    const refused = { code: 'internal' };
    await expect(inference.segment(new Float32Array(WINDOW + 1))).rejects.toMatchObject(refused);
    await expect(inference.embed(new Float32Array(7999))).rejects.toMatchObject(refused);
  });

  test('a fault in a step is told, leaves no tensor, and the next call is answered', async () => {
    await inference.api.injectFault?.('out-of-memory');
    await expect(inference.segment(new Float32Array(WINDOW))).rejects.toMatchObject({
      code: 'out-of-memory',
    });
    await inference.api.injectFault?.('exception');
    await expect(inference.embed(new Float32Array(WINDOW))).rejects.toMatchObject({ code: 'model-failed' });
    await noTensorIsLeft();
    expect(await inference.segment(new Float32Array(WINDOW))).toHaveLength(589 * CLASSES);
  });
});
