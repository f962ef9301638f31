import { CaptureSession, type CaptureHandlers } from '@src/capture/capture-session.ts';
import type { RecognitionSettings } from '@core/protocol/engine.ts';
import { newSessionId, newTabId, type SessionId, type TabId } from '@core/protocol/ids.ts';
import { FakeEngine, type FakeProgress } from './fake-engine.ts';
import { Inbox } from './inbox.ts';

type Handled = {
  [K in keyof CaptureHandlers]: { readonly name: K; readonly value: Parameters<CaptureHandlers[K]>[0] };
}[keyof CaptureHandlers];

export const SETTINGS: RecognitionSettings = {
  recognizer: 'auto',
  languages: ['en'],
  chineseScript: 'simplified',
};

/** Keeps what a session says. */
export function keepEvents() {
  const events = new Inbox<Handled>();
  const handlers = Object.fromEntries(
    (['level', 'progress', 'backlog', 'vad', 'sourceEnded', 'warning', 'health'] as const).map((name) => [
      name,
      (value: never) => events.add({ name, value }),
    ]),
  ) as unknown as CaptureHandlers;
  return { events, handlers };
}

/** A port to a fake engine of this tab, and that engine. */
export function fakeEngine(tab: TabId, sessionId: SessionId, progress?: FakeProgress) {
  const { port1, port2 } = new MessageChannel();
  return { port: port1, engine: new FakeEngine(port2, tab, sessionId, progress) };
}

/** A real session and worker before a fake engine; what they say is kept. */
export async function startCapture({ engineless = false } = {}) {
  const [sessionId, tab] = [newSessionId(), newTabId()];
  const { port, engine } = fakeEngine(tab, sessionId);
  const { events, handlers } = keepEvents();
  if (!engineless) engine.begin();
  const session = await CaptureSession.start({ sessionId, tab, settings: SETTINGS }, port, handlers);
  return { session, sessionId, tab, engine, speech: engine.speech, events };
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
