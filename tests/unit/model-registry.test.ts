import { beforeEach, describe, expect, test } from 'vitest';
import type { HealthEntry, ModelId, ModelStatus, RungId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { deferred } from '@core/util/deferred.ts';
import { HealthLog } from '@workers/engine/health.ts';
import type { DeviceFacts } from '@workers/engine/ladder.ts';
import { IDLE_LIMIT_MS, weightBudget } from '@workers/engine/model-memory.ts';
import { ModelRegistry } from '@workers/engine/model-registry.ts';
import { RuntimePool } from '@workers/engine/runtime.ts';
import type { SelfTestMemory, SelfTestRecord } from '@workers/engine/self-test-memory.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ScriptedInference, type Script } from '../support/scripted-inference.ts';

const GPU: DeviceFacts = {
  webgpu: { shaderF16: true, software: false, name: 'a gpu', maxBufferBytes: 2 ** 31 },
  crossOriginIsolated: true,
  cores: 2,
  memoryGiB: 8,
};
const Q8: readonly RungId[] = ['webgpu-q8', 'wasm-threads', 'wasm'];

let clock: VirtualClock;
/** What sessions read with. */
let inUse: Set<ModelId>;
let facts: DeviceFacts;
let health: HealthEntry[];
let statuses: ModelStatus[];
let records: Map<ModelId, SelfTestRecord>;

beforeEach(() => {
  clock = new VirtualClock();
  inUse = new Set();
  facts = GPU;
  health = [];
  statuses = [];
  records = new Map();
});

function build(script: Script, { rungs = Q8, fingerprint = 'browser 1' } = {}) {
  const inference = new ScriptedInference(script);
  const memory: SelfTestMemory = {
    read: async (model) => records.get(model),
    write: async (model, record) => void records.set(model, structuredClone(record)),
    forget: async (model) => void records.delete(model),
  };
  const pool = new RuntimePool(inference.spawn, {
    progress: (...progress) => registry.progress(...progress),
    notStored: () => undefined,
    lost: (runtime, error) => registry.runtimeLost(runtime, error),
  });
  const registry: ModelRegistry = new ModelRegistry({
    pool,
    clock,
    inUse: (model) => inUse.has(model),
    memory,
    health: new HealthLog(
      () => 0,
      (entry) => health.push(entry),
    ),
    availableRungs: () => rungs,
    weights: (_, rung) => (rung === 'webgpu-fp16' || rung === 'webgpu-fp32' ? rung : 'q8'),
    device: async () => facts,
    fingerprint: () => fingerprint,
    publish: (status) => statuses.push(status),
  });
  return { inference, registry, pool };
}

/** Decode time of each rung; a missing one reads the clip wrong. */
const speeds =
  (decodeMs: Partial<Record<RungId, number>>): NonNullable<Script['selfTest']> =>
  (_, rung) => ({ text: 'heard', right: rung in decodeMs, decodeMs: decodeMs[rung] ?? 1 });

const ALL_RIGHT = speeds({ 'webgpu-q8': 30, 'wasm-threads': 20, wasm: 10 });

describe('model registry', () => {
  test('fifty callers at once share one load and get the same instance', async () => {
    const gate = deferred<void>();
    const { registry, inference } = build({ selfTest: ALL_RIGHT, load: () => gate.promise });
    const callers = Array.from({ length: 50 }, () => registry.ready('whisper-tiny'));
    const prepared = registry.prepare('whisper-tiny');
    gate.resolve();
    expect(new Set(await Promise.all(callers)).size).toBe(1);
    expect((await prepared).state).toBe('ready');
    expect(inference.loads).toEqual([
      'whisper-tiny webgpu-q8/1',
      'whisper-tiny wasm-threads/2',
      'whisper-tiny wasm/1',
    ]);
  });

  test('the fastest right candidate wins and the others’ workers end', async () => {
    const { registry, inference } = build({ selfTest: speeds({ 'wasm-threads': 20, wasm: 35 }) });
    const status = await registry.prepare('whisper-tiny');
    expect(status).toMatchObject({ state: 'ready', rung: 'wasm-threads' });
    expect(status.selfTest.map(({ rung, outcome }) => `${rung} ${outcome}`)).toEqual([
      'webgpu-q8 wrong',
      'wasm-threads right',
      'wasm right',
      'webgpu-fp16 skipped',
      'webgpu-fp32 skipped',
      'webgpu-q4 skipped',
    ]);
    expect([...inference.alive].map(({ device, threads }) => `${device}/${threads}`)).toEqual(['wasm/2']);
    expect(health.map(({ code }) => code)).toContain('model-wrong-answer');
  });

  test('a result is remembered until browser or weights change', async () => {
    await build({ selfTest: ALL_RIGHT }).registry.prepare('whisper-tiny');
    const second = build({ selfTest: ALL_RIGHT });
    expect(await second.registry.prepare('whisper-tiny')).toMatchObject({ state: 'ready', rung: 'wasm' });
    expect(second.inference.loads).toEqual(['whisper-tiny wasm/1']);
    const third = build({ selfTest: ALL_RIGHT }, { fingerprint: 'browser 2' });
    await third.registry.prepare('whisper-tiny');
    expect(third.inference.loads).toHaveLength(3);
    await third.registry.retest('whisper-tiny');
    expect(third.inference.loads).toHaveLength(6);
  });

  test('no second set of weights is downloaded once one reads right', async () => {
    const { registry, inference } = build(
      { selfTest: speeds({ 'webgpu-fp32': 5, wasm: 50 }) },
      { rungs: ['webgpu-fp16', 'webgpu-fp32', 'webgpu-q8', 'wasm'] },
    );
    const status = await registry.prepare('whisper-base');
    expect(status.rung).toBe('webgpu-fp32');
    expect(inference.loads).toEqual(['whisper-base webgpu-fp16/1', 'whisper-base webgpu-fp32/1']);
    // … but they are there to fall back on.
    await registry.stepDown(registry.peek('whisper-base')!, new UnisonoError('gpu-lost', 'gone'));
    expect(registry.status('whisper-base')).toMatchObject({ state: 'ready', rung: 'wasm' });
  });

  test('a fault moves the model on with one line, and callers that failed together share the step', async () => {
    const { registry, inference } = build({ selfTest: ALL_RIGHT });
    const first = await registry.ready('whisper-tiny');
    health.length = 0;
    inference.loads.length = 0;
    const fault = new UnisonoError('out-of-memory', 'too much');
    await Promise.all([registry.stepDown(first, fault), registry.stepDown(first, fault)]);
    expect(first.runtime.alive).toBe(false);
    expect(registry.status('whisper-tiny')).toMatchObject({ state: 'ready', rung: 'wasm-threads' });
    expect(inference.loads).toEqual(['whisper-tiny wasm-threads/2']);
    expect(health.filter(({ level }) => level !== 'info').map(({ code }) => code)).toEqual(['out-of-memory']);
  });

  test('when nothing is left the model failed, until somebody asks for it again', async () => {
    const { registry } = build({ selfTest: speeds({ wasm: 1 }) }, { rungs: ['wasm'] });
    const fault = new UnisonoError('model-failed', 'boom');
    // The last candidate gets a second chance.
    await registry.stepDown(await registry.ready('whisper-tiny'), fault);
    expect(registry.status('whisper-tiny').state).toBe('ready');
    const last = await registry.ready('whisper-tiny');
    await expect(registry.stepDown(last, fault)).rejects.toMatchObject({ code: 'model-failed' });
    expect(registry.status('whisper-tiny')).toMatchObject({ state: 'failed', rung: null });
    await expect(registry.ready('whisper-tiny')).rejects.toMatchObject({ code: 'model-failed' });
    expect(await registry.prepare('whisper-tiny')).toMatchObject({ state: 'ready', error: null });
  });

  test('a model beside the faulty one in the same worker comes back where it was', async () => {
    const { registry } = build({ selfTest: ALL_RIGHT });
    const whisper = await registry.ready('whisper-tiny');
    const moonshine = await registry.ready('moonshine-tiny');
    expect(moonshine.runtime).toBe(whisper.runtime);
    await registry.stepDown(whisper, new UnisonoError('model-failed', 'boom'));
    const rebuilt = await registry.ready('moonshine-tiny');
    expect(rebuilt.runtime.alive).toBe(true);
    expect(rebuilt.candidate).toEqual(moonshine.candidate);
  });

  test('a worker that dies between calls is replaced unasked', async () => {
    const { registry } = build({ selfTest: ALL_RIGHT });
    const { runtime } = await registry.ready('whisper-tiny');
    runtime.lose(new UnisonoError('engine-lost', 'gone'));
    const { runtime: next } = await registry.ready('whisper-tiny');
    expect(next.alive).toBe(true);
  });

  test('weights that cannot be had are an error of their own, and nothing is remembered', async () => {
    const missing = new UnisonoError('model-missing-offline', 'no connection');
    let online = false;
    const { registry } = build({
      selfTest: ALL_RIGHT,
      load: async () => {
        if (!online) throw missing;
      },
    });
    expect(await registry.prepare('whisper-base')).toMatchObject({
      state: 'failed',
      error: { code: 'model-missing-offline' },
    });
    expect(records.size).toBe(0);
    online = true;
    expect((await registry.prepare('whisper-base')).state).toBe('ready');
  });

  test('the download shows in the status, at most once a percent', async () => {
    const arrived = deferred<void>();
    const { registry } = build({ selfTest: ALL_RIGHT, load: () => arrived.promise }, { rungs: ['wasm'] });
    const prepared = registry.prepare('whisper-base');
    while (!statuses.some(({ state }) => state === 'testing')) await Promise.resolve();
    for (let bytes = 0; bytes <= 10_000; bytes += 1)
      registry.progress('whisper-base', 'encoder', bytes, 10_000);
    const shown = statuses.filter(({ state }) => state === 'downloading');
    expect(shown).toHaveLength(100);
    expect(shown.at(-1)?.progress).toEqual({ loadedBytes: 9900, totalBytes: 10_000 });
    arrived.resolve();
    expect(await prepared).toMatchObject({ state: 'ready', progress: null });
  });
});

describe('memory', () => {
  test('a model that nobody uses is given back after five minutes, and comes back without a self-test', async () => {
    const { registry, inference } = build({ selfTest: ALL_RIGHT });
    await registry.prepare('whisper-tiny');
    await clock.pass(IDLE_LIMIT_MS - 1);
    registry.used('whisper-tiny');
    await clock.pass(IDLE_LIMIT_MS - 1);
    expect(registry.status('whisper-tiny').state).toBe('ready');
    inference.released.length = 0;
    await clock.pass(1);
    expect(registry.status('whisper-tiny')).toMatchObject({ state: 'absent', rung: null });
    expect(registry.resident()).toEqual([]);
    expect(inference.released).toEqual(['wasm/1']);
    expect(inference.alive.size).toBe(0);
    expect(health.at(-1)).toMatchObject({ level: 'info', code: 'model-released' });

    inference.loads.length = 0;
    expect(await registry.prepare('whisper-tiny')).toMatchObject({ state: 'ready', rung: 'wasm' });
    expect(inference.loads).toEqual(['whisper-tiny wasm/1']);
    expect(registry.loads.map(({ model, bytes }) => [model, bytes])).toEqual([
      ['whisper-tiny', 40e6],
      ['whisper-tiny', 40e6],
    ]);
  });

  test('a model that a session reads with stays, however long nobody says anything', async () => {
    const { registry } = build({ selfTest: ALL_RIGHT });
    await registry.prepare('whisper-tiny');
    inUse.add('whisper-tiny');
    await clock.pass(3 * IDLE_LIMIT_MS);
    expect(registry.status('whisper-tiny').state).toBe('ready');
    inUse.clear();
    await clock.pass(IDLE_LIMIT_MS);
    expect(registry.status('whisper-tiny').state).toBe('absent');
  });

  test('where there is no room for another, the one used longest ago goes, but none in use', async () => {
    // A quarter of half a GiB: two small models, but not a third.
    facts = { ...GPU, webgpu: null, memoryGiB: 0.5 };
    const { registry } = build({ selfTest: ALL_RIGHT });
    await registry.prepare('whisper-tiny');
    await registry.prepare('moonshine-tiny');
    registry.used('whisper-tiny');
    expect(registry.resident()).toHaveLength(2);
    await registry.prepare('whisper-base');
    expect(registry.resident().map(({ model }) => model)).toEqual(['whisper-tiny', 'whisper-base']);

    inUse.add('whisper-tiny').add('whisper-base');
    await registry.prepare('whisper-small');
    expect(registry.resident().map(({ model }) => model)).toEqual([
      'whisper-tiny',
      'whisper-base',
      'whisper-small',
    ]);
  });

  test('one that is wanted again while it is given back is loaded anew, and stays', async () => {
    const gate = deferred<void>();
    const { registry } = build({ selfTest: ALL_RIGHT, release: () => gate.promise }, { rungs: ['wasm'] });
    const { runtime } = await registry.ready('whisper-tiny');
    await clock.pass(IDLE_LIMIT_MS);
    const again = await registry.ready('whisper-tiny');
    gate.resolve();
    await clock.pass(0);
    expect(runtime.alive).toBe(false);
    expect(again.runtime.alive).toBe(true);
    expect(registry.status('whisper-tiny').state).toBe('ready');
  });
});

describe('the weights’ budget', () => {
  test('is a share of the device’s memory, and on a GPU no more than its largest buffer', () => {
    expect(weightBudget({ ...GPU, memoryGiB: 4 }, 'wasm')).toBe(2 ** 30);
    expect(weightBudget({ ...GPU, memoryGiB: null }, 'wasm')).toBe(2 ** 30);
    const phone = { ...GPU, webgpu: { ...GPU.webgpu!, maxBufferBytes: 2 ** 28 } };
    expect(weightBudget(phone, 'webgpu')).toBe(2 ** 28);
    expect(weightBudget(phone, 'wasm')).toBe(2 ** 31);
  });
});
