import { expect, test } from 'vitest';
import type { RecognitionSettings, RecognizerId, RungId } from '@core/protocol/engine.ts';
import { chooseRecognizer, type Measured } from '@workers/engine/choose-recognizer.ts';
import { ladder, threadCounts, type DeviceFacts } from '@workers/engine/ladder.ts';

const ALL: readonly RungId[] = [
  'webgpu-fp16',
  'webgpu-fp32',
  'webgpu-q4',
  'webgpu-q8',
  'wasm-threads',
  'wasm',
];
const FULL: DeviceFacts = {
  webgpu: { shaderF16: true, software: false, name: 'a gpu', maxBufferBytes: 2 ** 31 },
  crossOriginIsolated: true,
  cores: 8,
  memoryGiB: 8,
};

const tried = (facts: Partial<DeviceFacts>, available = ALL): string[] =>
  ladder({ ...FULL, ...facts }, available).candidates.map(({ rung, threads }) => `${rung}/${threads}`);

test('every rung the device and the weights allow is tried, best first', () => {
  expect(tried({})).toEqual([
    'webgpu-fp16/1',
    'webgpu-fp32/1',
    'webgpu-q4/1',
    'webgpu-q8/1',
    'wasm-threads/4',
    'wasm/1',
  ]);
  expect(tried({}, ['webgpu-q8', 'wasm'])).toEqual(['webgpu-q8/1', 'wasm/1']);
});

test('what cannot run is left out, with the reason for the health panel', () => {
  const noF16 = ladder({ ...FULL, webgpu: { ...FULL.webgpu!, shaderF16: false } }, ALL);
  expect(noF16.skipped).toMatchObject([{ rung: 'webgpu-fp16', note: 'adapter without shader-f16' }]);
  const software = ladder({ ...FULL, webgpu: { ...FULL.webgpu!, software: true, name: 'swiftshader' } }, ALL);
  expect(software.skipped.map(({ note }) => note)).toEqual(Array(4).fill('software adapter (swiftshader)'));
  expect(tried({ webgpu: null, crossOriginIsolated: false })).toEqual(['wasm/1']);
  expect(tried({ webgpu: null, cores: 1 })).toEqual(['wasm/1']);
});

test('thread counts worth measuring', () => {
  expect([1, 2, 4, 8, 16, 64].map(threadCounts)).toEqual([[], [2], [4, 2], [4], [4, 8], [4, 8]]);
});

const settings = (change: Partial<RecognitionSettings>): RecognitionSettings => ({
  recognizer: 'auto',
  languages: ['en'],
  chineseScript: 'simplified',
  ...change,
});
const measured = (decodeMs: number | null, failed = false): Measured => ({ failed, rung: 'wasm', decodeMs });
const choose = (
  change: Partial<RecognitionSettings>,
  known: Partial<Record<RecognizerId, Measured>> = {},
): string => chooseRecognizer(settings(change), new Map(Object.entries(known) as [RecognizerId, Measured][]));

test('auto: Moonshine for English alone, Whisper for anything else', () => {
  expect(choose({})).toBe('moonshine-tiny');
  expect(choose({ languages: ['en', 'fr'] })).toBe('whisper-tiny');
  expect(choose({ languages: ['zh'] })).toBe('whisper-tiny');
  expect(choose({ recognizer: 'whisper-base' })).toBe('whisper-base');
});

test('auto: Whisper where it was measured to be no slower, and where Moonshine failed', () => {
  expect(choose({}, { 'moonshine-tiny': measured(400), 'whisper-tiny': measured(1700) })).toBe(
    'moonshine-tiny',
  );
  expect(choose({}, { 'moonshine-tiny': measured(90), 'whisper-tiny': measured(80) })).toBe('whisper-tiny');
  expect(choose({}, { 'whisper-tiny': measured(80) })).toBe('moonshine-tiny');
  expect(choose({}, { 'moonshine-tiny': measured(null, true) })).toBe('whisper-tiny');
  expect(choose({}, { 'moonshine-tiny': measured(400), 'whisper-tiny': measured(null, true) })).toBe(
    'moonshine-tiny',
  );
});
