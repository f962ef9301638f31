import { BLOCK_SAMPLES, type PcmBlock, type PcmReturn } from '../../src/core/protocol/pcm.ts';

/** What arrived at the far end of a worklet's port. */
export interface SinkReport {
  readonly blocks: number;
  /** Blocks missing between the first and the last. */
  readonly missing: number;
  readonly extraBuffers: number;
}

/** Stands for the capture worker: gives buffers back, notes gaps in the worklet's clock. */
let next: number | null = null;
let report: SinkReport = { blocks: 0, missing: 0, extraBuffers: 0 };

self.addEventListener('message', ({ data }: MessageEvent<MessagePort | 'report'>) => {
  if (data === 'report') {
    self.postMessage(report);
    return;
  }
  data.onmessage = ({ data: block }: MessageEvent<PcmBlock>) => {
    const missing = report.missing + (next === null ? 0 : (block.start - next) / BLOCK_SAMPLES);
    next = block.start + BLOCK_SAMPLES;
    report = { blocks: report.blocks + 1, missing, extraBuffers: block.extraBuffers };
    const { samples } = block;
    data.postMessage({ type: 'return', samples } satisfies PcmReturn, [samples.buffer]);
  };
});
