import { describe, expect, it } from 'vitest';
import workletUrl from '@workers/audio/pcm.worklet.ts?worker&url';
import type { PcmBlock, PcmControl, PcmReturn } from '@core/protocol/pcm.ts';
import { fitTone, levelDb } from '../support/tone.ts';

/** `seconds` of a sine from a context at `deviceRateHz`, as a context at `captureRateHz` and the worklet give it. */
async function captureTone(
  frequencyHz: number,
  deviceRateHz: number,
  captureRateHz: number,
  seconds: number,
) {
  const device = new AudioContext({ sampleRate: deviceRateHz });
  const oscillator = new OscillatorNode(device, { frequency: frequencyHz });
  const gain = new GainNode(device, { gain: 0.5 });
  const destination = new MediaStreamAudioDestinationNode(device);
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  const capture = new AudioContext({ sampleRate: captureRateHz });
  await capture.audioWorklet.addModule(workletUrl);
  const node = new AudioWorkletNode(capture, 'pcm', { numberOfOutputs: 0 });
  new MediaStreamAudioSourceNode(capture, { mediaStream: destination.stream }).connect(node);
  const { port1, port2 } = new MessageChannel();
  const blocks: PcmBlock[] = [];
  await new Promise<void>((resolve) => {
    port2.onmessage = ({ data }: MessageEvent<PcmBlock>) => {
      blocks.push({ ...data, samples: data.samples.slice() });
      port2.postMessage({ type: 'return', samples: data.samples } satisfies PcmReturn, [data.samples.buffer]);
      if (blocks.length * 512 >= seconds * 16_000) resolve();
    };
    node.port.postMessage({ type: 'connect', port: port1 } satisfies PcmControl, [port1]);
  });
  await Promise.all([device.close(), capture.close()]);
  return blocks;
}

/** Two contexts are two clocks: where they slip the browser splices. The median 64 ms window has no splice. */
function medianOfWindows(blocks: readonly PcmBlock[], measure: (samples: Float32Array) => number): number {
  const values: number[] = [];
  for (let i = 8; i + 2 <= blocks.length; i += 2) {
    const window = new Float32Array(1024);
    window.set(blocks[i]?.samples ?? []);
    window.set(blocks[i + 1]?.samples ?? [], 512);
    values.push(measure(window));
  }
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}

/**
 * What stands between a device and the gate, in the two ways the app opens its audio: at 16 kHz, where
 * the browser resamples, and at the device's rate, where the worklet does.
 */
describe.each([
  ['the browser resamples', 48_000, 16_000],
  ['the browser resamples', 44_100, 16_000],
  ['the worklet resamples', 48_000, 48_000],
  ['the worklet resamples', 44_100, 44_100],
] as const)('%s from %i Hz', (_, deviceRateHz, contextRateHz) => {
  it('keeps a 1 kHz tone clean, in whole blocks without a gap, and allocates no buffer', async () => {
    const blocks = await captureTone(1000, deviceRateHz, contextRateHz, 1.5);
    const snrDb = medianOfWindows(blocks, (samples) => fitTone(samples, 1000, 16_000).snrDb);
    console.log(`1 kHz: ${snrDb.toFixed(1)} dB SNR`);
    expect(snrDb).toBeGreaterThan(60);
    expect(blocks.map(({ start }) => start)).toEqual(blocks.map((_, i) => i * 512));
    expect(blocks.at(-1)?.extraBuffers).toBe(0);
  });

  it('keeps a 10 kHz tone out', async () => {
    const blocks = await captureTone(10_000, deviceRateHz, contextRateHz, 1.5);
    const suppressionDb = medianOfWindows(blocks, (samples) => -levelDb(samples, 0.5));
    console.log(`10 kHz: suppressed by ${suppressionDb.toFixed(1)} dB`);
    expect(suppressionDb).toBeGreaterThan(60);
  });
});
