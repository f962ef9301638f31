import type { RecognizerId } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { Clock } from '@core/util/clock.ts';
import type { Decoded, DecodeRequest, DecodeTask } from '@workers/engine/decoder.ts';
import { heard } from './spoken.ts';

const DECODE_MS = 300;

/** Stands in for ModelRegistry: every model is there at once. */
export class InstantModels {
  readonly clock: Clock;
  readonly loads = [];

  constructor({ clock }: { readonly clock: Clock }) {
    this.clock = clock;
  }

  prepare = (model: RecognizerId) => Promise.resolve(this.status(model));
  status = (model: RecognizerId) => ({
    model,
    state: 'ready',
    rung: 'wasm',
    progress: null,
    selfTest: [],
    error: null,
  });
  measured = () => new Map();
  resident = () => [];
  used(): void {}
  close(): void {}
}

/** Stands in for Decoder: counts what was said, and takes its time for it. Reads no partials. */
export class CountingDecoder {
  readonly #clock: Clock;

  constructor(models: InstantModels) {
    this.#clock = models.clock;
  }

  decode(request: DecodeRequest): DecodeTask {
    let abort = (): void => undefined;
    const result = new Promise<Decoded>((resolve, reject) => {
      abort = () => reject(new UnisonoError('aborted', 'The reading was called off.'));
      if (request.priority === 'partial') abort();
      else this.#clock.after(DECODE_MS, () => resolve(decoded(request.audio())));
    });
    return { result, abort: () => abort(), setPriority: () => undefined };
  }
}

function decoded(audio: Float32Array): Decoded {
  const counts = heard(audio).split(' ').filter(Boolean);
  return {
    language: 'en',
    languageProbability: 1,
    words: counts.map((count) => ({ text: ` ${count}`, startMs: null, endMs: null })),
    dropped: null,
    averageLogProbability: null,
    noSpeechProbability: null,
  };
}
