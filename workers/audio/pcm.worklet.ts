import {
  BLOCK_SAMPLES,
  type PcmBlock,
  type PcmControl,
  type PcmReturn,
} from '../../src/core/protocol/pcm.ts';
import { PcmStream } from '../../src/core/audio/pcm-stream.ts';

/** 2 s of blocks: what a capture worker may be late without a single allocation here. */
const POOL_BLOCKS = 64;

/** Quanta are 128 frames today; a context may one day choose larger ones. */
const MAX_QUANTUM_FRAMES = 1024;

/**
 * Audio thread. Turns render quanta into 16 kHz blocks and sends each to the capture worker, which
 * sends the buffer back to be filled again. Waits for nobody: when no buffer is left it allocates
 * one and counts it in `extraBuffers`. The clock starts when the port arrives.
 */
class PcmProcessor extends AudioWorkletProcessor {
  readonly #pool: Float32Array<ArrayBuffer>[] = [];
  readonly #message = { type: 'block' as const, start: 0, samples: new Float32Array(0), extraBuffers: 0 };
  readonly #transfer: ArrayBuffer[] = [];
  readonly #stream: PcmStream;
  #port: MessagePort | null = null;
  #running = true;

  constructor() {
    super();
    for (let i = 0; i < POOL_BLOCKS; i++) this.#pool.push(new Float32Array(BLOCK_SAMPLES));
    this.#stream = new PcmStream(sampleRate, MAX_QUANTUM_FRAMES, {
      take: () => this.#take(),
      emit: (block, start) => this.#send(block, start),
    });
    this.port.onmessage = ({ data }: MessageEvent<PcmControl>) => {
      if (data.type === 'connect') this.#connect(data.port);
      else this.#running = false;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const channels = inputs[0];
    // A source that gives nothing (a muted track, say) has no channels: its silence still takes time.
    if (this.#port && channels) this.#stream.push(channels, channels[0]?.length ?? 128);
    return this.#running;
  }

  #connect(port: MessagePort): void {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<PcmReturn>) => this.#pool.push(data.samples);
  }

  #take(): Float32Array<ArrayBuffer> {
    const free = this.#pool.pop();
    if (free) return free;
    this.#message.extraBuffers++;
    return new Float32Array(BLOCK_SAMPLES);
  }

  #send(block: Float32Array<ArrayBuffer>, start: number): void {
    this.#message.start = start;
    this.#message.samples = block;
    this.#transfer[0] = block.buffer;
    this.#port?.postMessage(this.#message satisfies PcmBlock, this.#transfer);
  }
}

registerProcessor('pcm', PcmProcessor);
