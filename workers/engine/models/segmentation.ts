import type { PreTrainedModel } from '@huggingface/transformers';
import type { SegmentationId } from '@core/protocol/engine.ts';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { InferenceSession } from 'onnxruntime-web';
import type { StepRunner } from './step-runner.ts';
import { floatsOf, TensorScope } from './tensors.ts';

/** What the model hears at a time: 10 s. */
export const WINDOW_SAMPLES = 10 * SAMPLE_RATE_HZ;

const CLASSES = 7;
/** Frame i is centred at sample 270 i + 495.5. */
const FRAME_STEP_SAMPLES = 270;
const FIRST_FRAME_CENTRE_SAMPLES = 495.5;

/** Tells who speaks when among the up to three speakers of a window, by one loaded model. Calls must not overlap. */
export interface Segmentation {
  readonly id: SegmentationId;
  /**
   * Natural-log probabilities of the 7 powerset classes (`core/speakers/powerset`), frame after frame.
   *
   * @param samples mono 16 kHz, at most {@link WINDOW_SAMPLES}; 10 s give 589 frames, less gives those centred in it
   * @throws UnisonoError `aborted`, `gpu-lost`, `out-of-memory` or `model-failed`
   */
  segment(samples: Float32Array, signal: AbortSignal): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export interface SegmentationParts {
  readonly id: SegmentationId;
  readonly model: PreTrainedModel;
  readonly runner: StepRunner;
}

/** pyannote segmentation 3.0 (Plaquet and Bredin 2023). */
export class PyannoteSegmentation implements Segmentation {
  readonly id: SegmentationId;
  readonly #parts: SegmentationParts;

  constructor(parts: SegmentationParts) {
    this.id = parts.id;
    this.#parts = parts;
  }

  async segment(samples: Float32Array, signal: AbortSignal): Promise<Float32Array> {
    const { model, runner } = this.#parts;
    // Trained on whole windows: silence behind a short one changes less than another length would.
    const window = new Float32Array(WINDOW_SAMPLES);
    window.set(samples);
    const scope = new TensorScope();
    try {
      const input = scope.floats(window, [1, 1, WINDOW_SAMPLES]);
      const session = model.sessions.model as InferenceSession;
      const { logits } = await runner.run(session, { input_values: input }, ['logits'], scope, signal);
      const heard = Math.ceil((samples.length - FIRST_FRAME_CENTRE_SAMPLES) / FRAME_STEP_SAMPLES);
      return logSoftmax(floatsOf(logits!).slice(0, CLASSES * Math.max(0, heard)));
    } finally {
      scope.freeAll();
    }
  }

  async dispose(): Promise<void> {
    await this.#parts.model.dispose();
  }
}

/** Leaves log-probabilities as they are: exports differ in whether they end with it. */
function logSoftmax(values: Float32Array): Float32Array {
  for (let at = 0; at < values.length; at += CLASSES) {
    const frame = values.subarray(at, at + CLASSES);
    const most = Math.max(...frame);
    const sum = frame.reduce((total, value) => total + Math.exp(value - most), 0);
    frame.forEach((value, index) => (frame[index] = value - most - Math.log(sum)));
  }
  return values;
}
