import { describe, expect, it } from 'vitest';
import { levelOf } from '../../src/core/audio/level.ts';
import { EnergyDetector } from '../../src/core/vad/energy.ts';

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
