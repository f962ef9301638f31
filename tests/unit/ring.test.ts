import { describe, expect, it } from 'vitest';
import { SampleRing } from '../../src/core/audio/ring.ts';
import { levelOf } from '../../src/core/audio/level.ts';
import { EnergyDetector } from '../../src/core/vad/energy.ts';

describe('ring', () => {
  it('gives back what was written, across its seam, and refuses what it has lost', () => {
    const ring = new SampleRing(10);
    for (let i = 0; i < 6; i++) ring.write(Float32Array.of(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3));
    expect(ring.end).toBe(24);
    expect([...ring.read(14, 24)]).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    expect([...ring.read(19, 21)]).toEqual([19, 20]);
    expect(ring.read(24, 24)).toHaveLength(0);
    expect(() => ring.read(13, 20)).toThrow(RangeError);
    expect(() => ring.read(20, 25)).toThrow(RangeError);
  });
});

describe('level', () => {
  it('reads full scale as 1', () => {
    expect(levelOf(new Float32Array(512).fill(-1))).toEqual({ rms: 1, peak: 1 });
    expect(levelOf(new Float32Array(512))).toEqual({ rms: 0, peak: 0 });
  });
});

describe('energy detector', () => {
  const hear = (detector: EnergyDetector, rms: number, seconds: number) => {
    let probability = 0;
    for (let i = 0; i < seconds * 31.25; i++) probability = detector.step(rms);
    return probability;
  };

  it('hears speech over quiet and over a fan, and not the fan', () => {
    const detector = new EnergyDetector();
    expect(hear(detector, 0.0005, 3)).toBe(0);
    expect(hear(detector, 0.05, 1)).toBeGreaterThan(0.9);
    // The fan starts: taken for speech until the floor has risen to it, within half a minute.
    hear(detector, 0.01, 30);
    expect(hear(detector, 0.01, 1)).toBeLessThan(0.05);
    expect(hear(detector, 0.1, 1)).toBeGreaterThan(0.9);
  });
});
