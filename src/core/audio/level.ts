export interface Level {
  /** Both of full scale, in [0, 1]. */
  readonly rms: number;
  readonly peak: number;
}

export function levelOf(samples: Float32Array): Level {
  let power = 0;
  let peak = 0;
  for (const sample of samples) {
    power += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rms: Math.min(1, Math.sqrt(power / samples.length)), peak: Math.min(1, peak) };
}
