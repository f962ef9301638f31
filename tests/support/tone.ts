/** What of a signal is a tone of `frequencyHz`, by least squares, and what is not. */
export interface ToneFit {
  readonly amplitude: number;
  /** Power of the tone over the power of everything else, dB. */
  readonly snrDb: number;
}

const decibel = (ratio: number): number => 10 * Math.log10(ratio);

export function fitTone(samples: Float32Array, frequencyHz: number, rateHz: number): ToneFit {
  const omega = (2 * Math.PI * frequencyHz) / rateHz;
  let cc = 0,
    ss = 0,
    cs = 0,
    xc = 0,
    xs = 0;
  samples.forEach((x, n) => {
    const c = Math.cos(omega * n);
    const s = Math.sin(omega * n);
    cc += c * c;
    ss += s * s;
    cs += c * s;
    xc += x * c;
    xs += x * s;
  });
  const determinant = cc * ss - cs * cs;
  const a = (xc * ss - xs * cs) / determinant;
  const b = (xs * cc - xc * cs) / determinant;
  let tone = 0;
  let rest = 0;
  samples.forEach((x, n) => {
    const fit = a * Math.cos(omega * n) + b * Math.sin(omega * n);
    tone += fit * fit;
    rest += (x - fit) ** 2;
  });
  return { amplitude: Math.hypot(a, b), snrDb: decibel(tone / rest) };
}

/** RMS of `samples` against a sine of `amplitude`, dB. */
export function levelDb(samples: Float32Array, amplitude: number): number {
  const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  return decibel(power / (amplitude ** 2 / 2));
}

export const sine = (frequencyHz: number, rateHz: number, samples: number, amplitude: number): Float32Array =>
  Float32Array.from(
    { length: samples },
    (_, n) => amplitude * Math.sin((2 * Math.PI * frequencyHz * n) / rateHz),
  );
