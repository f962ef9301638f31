import { CaptureSession, type CaptureHandlers } from '@src/capture/capture-session.ts';
import type { SpeechAcknowledged, SpeechMessage } from '@core/protocol/audio.ts';
import { newSessionId } from '@core/protocol/ids.ts';

type Handled = {
  [K in keyof CaptureHandlers]: { readonly name: K; readonly value: Parameters<CaptureHandlers[K]>[0] };
}[keyof CaptureHandlers];

/** Keeps what arrives and lets a test wait for it. */
export class Inbox<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  add(item: T): void {
    this.all.push(item);
    for (const look of this.#waiting.splice(0)) look();
  }

  /** The first item from index `from` on that `matches`, whether it has arrived or will. */
  async first<S extends T>(matches: (item: T) => item is S, from?: number): Promise<S>;
  async first(matches: (item: T) => boolean, from?: number): Promise<T>;
  async first(matches: (item: T) => boolean, from = 0): Promise<T> {
    for (;;) {
      const found = this.all.slice(from).find(matches);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** What the gate sends, as an engine would see it. */
export class SpeechInbox extends Inbox<SpeechMessage> {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<SpeechMessage>) => this.add(data);
  }

  acknowledge(message: Omit<SpeechAcknowledged, 'type'>): void {
    this.#port.postMessage({ type: 'acknowledged', ...message } satisfies SpeechAcknowledged);
  }

  of<K extends SpeechMessage['type']>(type: K): Extract<SpeechMessage, { type: K }>[] {
    return this.all.filter(
      (message): message is Extract<SpeechMessage, { type: K }> => message.type === type,
    );
  }
}

/** A real session and worker; what it says is kept. */
export async function startCapture() {
  const { port1, port2 } = new MessageChannel();
  const speech = new SpeechInbox(port2);
  const events = new Inbox<Handled>();
  const handlers = Object.fromEntries(
    (['level', 'progress', 'vad', 'sourceEnded', 'warning', 'health'] as const).map((name) => [
      name,
      (value: never) => events.add({ name, value }),
    ]),
  ) as unknown as CaptureHandlers;
  const session = await CaptureSession.start(newSessionId(), port1, handlers);
  return { session, speech, events };
}

/** Sound played by the browser, as a stream that stands for a device. */
export async function deviceFrom(
  url: string,
  options: { loop?: boolean } = {},
): Promise<{ stream: MediaStream; close(): Promise<void> }> {
  const context = new AudioContext({ sampleRate: 48_000 });
  const buffer = await context.decodeAudioData(await (await fetch(url)).arrayBuffer());
  const source = new AudioBufferSourceNode(context, { buffer, loop: options.loop ?? false });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  source.connect(destination);
  source.start();
  return { stream: destination.stream, close: () => context.close() };
}

export const MICROPHONE = {
  kind: 'microphone',
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
} as const;
