import workletUrl from '@workers/audio/pcm.worklet.ts?worker&url';
import { UnisonoError } from '@core/protocol/errors.ts';
import { SAMPLE_RATE_HZ, type PcmControl } from '@core/protocol/pcm.ts';

/** Gestures after which a browser lets a page start audio. */
const GESTURES = ['pointerdown', 'keydown'] as const;

/** A stream's way into a worklet. */
export interface Tap {
  /** The worklet's blocks come out here. */
  readonly pcm: MessagePort;
  disconnect(): void;
}

const suspended = () =>
  new UnisonoError(
    'audio-suspended',
    'The browser has suspended sound for this page: nothing is recorded at the moment. What was recorded is kept. Click the page or press a key to go on.',
  );

/**
 * The page's audio graph: one context, one `pcm` worklet per stream. The context runs at 16 kHz, so that the
 * browser resamples (Chromium: 1 kHz at 104 dB SNR or more, 10 kHz down by 76 dB or more, from 44.1 and
 * 48 kHz); where a browser refuses a stream of another rate, at the device's rate, and the worklet resamples.
 */
export class AudioGraph {
  readonly #onSuspended: (error: UnisonoError) => void;
  #context: AudioContext;
  #ready: Promise<void>;
  #closed = false;
  readonly #resume = () => void this.#context.resume().catch(() => undefined);

  constructor(onSuspended: (error: UnisonoError) => void) {
    this.#onSuspended = onSuspended;
    [this.#context, this.#ready] = this.#open(SAMPLE_RATE_HZ);
    for (const gesture of GESTURES) addEventListener(gesture, this.#resume, { capture: true, passive: true });
  }

  #open(sampleRate?: number): [AudioContext, Promise<void>] {
    const context = new AudioContext(sampleRate === undefined ? {} : { sampleRate });
    context.addEventListener('statechange', () => {
      if (this.#closed || context !== this.#context) return;
      // `interrupted` (a call on a phone) is not in every version of the types.
      const state: string = context.state;
      if (state !== 'suspended' && state !== 'interrupted') return;
      this.#onSuspended(suspended());
      this.#resume();
    });
    return [context, context.audioWorklet.addModule(workletUrl)];
  }

  /** @throws {UnisonoError} `capture-unsupported` */
  async tap(stream: MediaStream): Promise<Tap> {
    try {
      await this.#ready;
      const source = await this.#source(stream);
      const node = new AudioWorkletNode(this.#context, 'pcm', { numberOfOutputs: 0 });
      const { port1, port2 } = new MessageChannel();
      node.port.postMessage({ type: 'connect', port: port1 } satisfies PcmControl, [port1]);
      source.connect(node);
      await this.#start();
      return {
        pcm: port2,
        disconnect: () => {
          source.disconnect();
          node.port.postMessage({ type: 'stop' } satisfies PcmControl);
        },
      };
    } catch (thrown) {
      throw new UnisonoError(
        'capture-unsupported',
        'This browser could not open its audio engine for recording. Reload the page, or use a current browser.',
        { cause: thrown },
      );
    }
  }

  async #source(stream: MediaStream): Promise<MediaStreamAudioSourceNode> {
    const audio = new MediaStream(stream.getAudioTracks());
    try {
      return new MediaStreamAudioSourceNode(this.#context, { mediaStream: audio });
    } catch (thrown) {
      // Firefox connects only streams of the context's own rate.
      if (this.#context.sampleRate !== SAMPLE_RATE_HZ) throw thrown;
      const refused = this.#context;
      [this.#context, this.#ready] = this.#open();
      await Promise.all([refused.close(), this.#ready]);
      return new MediaStreamAudioSourceNode(this.#context, { mediaStream: audio });
    }
  }

  /** Without a gesture `resume` may wait for ever: then the user is told, and the next gesture resumes. */
  async #start(): Promise<void> {
    if (this.#context.state === 'running') return;
    const resumed = this.#context.resume().then(() => true);
    const blocked = new Promise<false>((resolve) => setTimeout(resolve, 1000, false));
    if (!(await Promise.race([resumed, blocked]))) this.#onSuspended(suspended());
  }

  resume(): void {
    this.#resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const gesture of GESTURES) removeEventListener(gesture, this.#resume, { capture: true });
    await this.#context.close();
  }
}
