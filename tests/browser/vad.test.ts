import { beforeAll, describe, expect, it } from 'vitest';
import speechUrl from '../fixtures/audio/speech.flac?url';
import type { CaptureApi, CaptureEvents, VadTier } from '@core/protocol/capture.ts';
import { newSessionId, newTabId, type SourceId } from '@core/protocol/ids.ts';
import type { PcmBlock } from '@core/protocol/pcm.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { DEFAULT_GATE } from '@core/vad/gate.ts';
import { DETECTOR_LOADERS, type DetectorLoaders } from '@workers/capture/vad-models.ts';
import { VadRunner } from '@workers/capture/vad-runner.ts';
import { fakeEngine, SETTINGS } from '../support/capture.ts';
import { Inbox } from '../support/inbox.ts';

const blocks: Float32Array<ArrayBuffer>[] = [];

beforeAll(async () => {
  const context = new OfflineAudioContext(1, 16_000, 16_000);
  const speech = await context.decodeAudioData(await (await fetch(speechUrl)).arrayBuffer());
  const samples = speech.getChannelData(0);
  for (let at = 0; at + 512 <= samples.length; at += 512) blocks.push(samples.slice(at, at + 512));
});

const fails = (reason: string) => () => Promise.reject(new Error(reason));
const broken = (reason: string) => () => Promise.resolve({ newDetector: () => ({ step: fails(reason) }) });

/** Runs speech, then silence, then low noise, through a detector made of `loaders`. */
async function detect(loaders: Partial<DetectorLoaders>) {
  const falls: { tier: VadTier; reason: string | null }[] = [];
  const runner = await VadRunner.start((tier, reason) => falls.push({ tier, reason }), {
    ...DETECTOR_LOADERS,
    ...loaders,
  });
  const stream = runner.newStream();
  const run = async (input: readonly Float32Array[]) => {
    const probabilities: number[] = [];
    for (const block of input) probabilities.push(await stream.step(block));
    return probabilities;
  };
  const quiet = Array.from({ length: 40 }, () => new Float32Array(512));
  const before = await run(quiet);
  const speech = await run(blocks);
  const after = (await run(quiet)).slice(20);
  return { falls, speech, silence: [...before, ...after] };
}

const share = (values: readonly number[], over: number) =>
  values.filter((value) => value >= over).length / values.length;

describe('voice detector', () => {
  it('is Silero v6 and tells speech from silence', async () => {
    const { falls, speech, silence } = await detect({});
    expect(falls).toEqual([{ tier: 'silero-v6', reason: null }]);
    expect(share(speech, DEFAULT_GATE.threshold)).toBeGreaterThan(0.6);
    expect(Math.max(...silence)).toBeLessThan(0.1);
  });

  it('is Silero legacy when v6 does not load', async () => {
    const { falls, speech, silence } = await detect({ 'silero-v6': fails('the file is missing') });
    expect(falls).toEqual([
      { tier: 'silero-legacy', reason: expect.stringContaining('the file is missing') as string },
    ]);
    expect(share(speech, DEFAULT_GATE.threshold)).toBeGreaterThan(0.6);
    expect(Math.max(...silence)).toBeLessThan(0.1);
  });

  it('listens by loudness when no model loads, and says why not', async () => {
    const { falls, speech, silence } = await detect({
      'silero-v6': fails('no wasm here'),
      'silero-legacy': fails('nor there'),
    });
    expect(falls).toHaveLength(1);
    expect(falls[0]?.tier).toBe('energy');
    expect(falls[0]?.reason).toMatch(/silero-v6: .*no wasm here; silero-legacy: .*nor there/);
    expect(share(speech, DEFAULT_GATE.threshold)).toBeGreaterThan(0.5);
    expect(Math.max(...silence)).toBe(0);
  });

  it('falls while it runs, block by block, and loses none', async () => {
    const { falls, speech } = await detect({ 'silero-v6': broken('out of memory') });
    expect(falls).toEqual([
      { tier: 'silero-v6', reason: null },
      { tier: 'silero-legacy', reason: expect.stringContaining('out of memory') as string },
    ]);
    expect(speech).toHaveLength(blocks.length);
    expect(share(speech, DEFAULT_GATE.threshold)).toBeGreaterThan(0.6);
  });

  it('serves two sources at once as it serves each alone', async () => {
    const runner = await VadRunner.start(() => undefined);
    const alone = runner.newStream();
    const expected: number[] = [];
    for (const block of blocks) expected.push(await alone.step(block));
    const [one, other] = [runner.newStream(), runner.newStream()];
    const both = await Promise.all(
      blocks.map(async (block) => [await one.step(block), await other.step(block)] as const),
    );
    expect(both.map(([probability]) => probability)).toEqual(expected);
    expect(both.map(([, probability]) => probability)).toEqual(expected);
  });
});

describe('capture worker', () => {
  it('goes on with the next detector in the middle of a sentence, and tells the page', async () => {
    const worker = new Worker(new URL('../../workers/capture/capture.worker.ts', import.meta.url), {
      type: 'module',
    });
    worker.addEventListener('error', (event) => capture.$close(new Error(event.message)));
    const told = new Inbox<{ name: string; value: unknown }>();
    const note = (name: string) => (value: unknown) => told.add({ name, value });
    const capture = createRpc<CaptureApi, CaptureEvents>(worker, {
      level: note('level'),
      progress: note('progress'),
      vad: note('vad'),
      sourceFailed: note('sourceFailed'),
      backlog: note('backlog'),
      warning: note('warning'),
      health: note('health'),
    });
    const [sessionId, tab, pcm] = [newSessionId(), newTabId(), new MessageChannel()];
    const { port, engine } = fakeEngine(tab, sessionId);
    const { speech } = engine;
    engine.begin();
    const sourceId = 'microphone' as SourceId;
    expect(await capture.open({ sessionId, tab, settings: SETTINGS }, port)).toEqual({
      vadTier: 'silero-v6',
      journal: 'opfs',
    });
    await capture.addLive({ sourceId, kind: 'microphone', offsetMs: 0 }, pcm.port1);
    const send = (from: number, to: number) => {
      blocks.slice(from, to).forEach((block, i) =>
        pcm.port2.postMessage({
          type: 'block',
          start: (from + i) * 512,
          samples: block.slice(),
          extraBuffers: 0,
        } satisfies PcmBlock),
      );
    };
    send(0, 40);
    await speech.first((message) => message.type === 'speech-audio');
    await capture.failVad?.();
    send(40, blocks.length);
    const levels = () => told.all.filter(({ name }) => name === 'level').length;
    await told.first(() => levels() === blocks.length);
    await capture.close();
    expect(told.all.filter(({ name }) => name === 'vad').map(({ value }) => value)).toEqual([
      { tier: 'silero-v6', reason: null },
      { tier: 'silero-legacy', reason: expect.stringContaining('failure asked for') as string },
    ]);
    expect(told.all.filter(({ name }) => name === 'health').at(-1)?.value).toMatchObject({
      level: 'warning',
      scope: 'vad',
      code: 'vad-degraded',
    });
    await speech.first((message) => message.type === 'source-clock' && message.ended);
    expect(speech.of('source-clock').at(-1)).toMatchObject({ captured: blocks.length * 512 });
    expect(speech.of('speech-end').length).toBeGreaterThan(0);
    worker.terminate();
  });
});
