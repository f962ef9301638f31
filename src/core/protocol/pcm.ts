/**
 * What the audio thread needs to know: kept apart from the other protocols, which use types that
 * an AudioWorkletGlobalScope does not have.
 */

/** All audio after capture: mono float32 in [-1, 1] at this rate, in Hz. */
export const SAMPLE_RATE_HZ = 16_000;

/** Samples in one block: what the worklet emits and one Silero step reads (32 ms). */
export const BLOCK_SAMPLES = 512;

/** Worklet → capture worker. The buffer comes back as {@link PcmReturn} to be filled again. */
export interface PcmBlock {
  readonly type: 'block';
  /** On the worklet's own clock, at 16 kHz: it runs on while recording is paused. */
  readonly start: number;
  readonly samples: Float32Array<ArrayBuffer>;
  /** Buffers allocated since the start because none had come back in time: 0 in steady state. */
  readonly extraBuffers: number;
}

/** Capture worker → worklet. */
export interface PcmReturn {
  readonly type: 'return';
  readonly samples: Float32Array<ArrayBuffer>;
}

/** Page → worklet, on the node's own port: `port` leads to the capture worker. */
export type PcmControl = { readonly type: 'connect'; readonly port: MessagePort } | { readonly type: 'stop' };
