import { expect } from 'vitest';
import type { SpeechAcknowledged, SpeechMessage } from '@core/protocol/audio.ts';
import type {
  EngineEvent,
  RecognitionSettings,
  SegmentDroppedEvent,
  SegmentEvent,
  SourceDescription,
} from '@core/protocol/engine.ts';
import type { EngineWorkerMessage } from '@core/protocol/engine-worker.ts';
import { newSessionId, newTabId, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { wallClock } from '@core/util/clock.ts';
import { parseWav } from './wav.ts';

/** The known-answer clip: mono, 16 kHz. */
export async function knownAnswer(): Promise<Float32Array> {
  const response = await fetch('/known-answer.wav');
  return parseWav(new Uint8Array(await response.arrayBuffer())).samples;
}

/** A real engine worker that serves its own tab only, driven over the way that the tab's threads use. */
export class TestEngine {
  readonly events: EngineEvent[] = [];
  readonly #sessions = new Map<SessionId, TestSession>();
  readonly #waiting = new Set<() => void>();
  readonly #worker = new Worker(new URL('../../workers/engine/engine.worker.ts', import.meta.url), {
    type: 'module',
  });
  readonly #connection: EngineConnection;

  constructor() {
    const tab = newTabId();
    const { port1, port2 } = new MessageChannel();
    this.#post({ type: 'init', tab, build: 1, singleTab: true });
    this.#post({ type: 'client', address: 'page', port: port1 }, [port1]);
    this.#connection = new EngineConnection({
      tab,
      address: 'page',
      port: new PortTransport(port2),
      open: null,
      clock: wallClock,
      events: {
        event: (event) => {
          this.events.push(event);
          for (const check of [...this.#waiting]) check();
        },
        acknowledged: (sessionId, message) => this.#sessions.get(sessionId)?.acknowledge(message),
      },
      onOwner: () => undefined,
    });
  }

  readonly call: EngineConnection['call'] = (...call) => this.#connection.call(...call);

  /** The first event, past or to come, for which `pick` gives something. */
  async first<T>(pick: (event: EngineEvent) => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        for (const event of this.events) {
          const found = pick(event);
          if (found === undefined) continue;
          this.#waiting.delete(check);
          resolve(found);
          return;
        }
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves with what became of the segment. */
  outcome(segmentId: string): Promise<SegmentEvent | SegmentDroppedEvent> {
    return this.first((event) => {
      if (event.type === 'segment' && event.segment.id === segmentId) return event;
      return event.type === 'segment-dropped' && event.segmentId === segmentId ? event : undefined;
    });
  }

  async open(settings: RecognitionSettings, ...sources: readonly SourceDescription[]): Promise<TestSession> {
    const session = new TestSession((message) => this.#connection.speech(session.id, message));
    this.#sessions.set(session.id, session);
    await this.call('openSession', [{ sessionId: session.id, settings, sources }]);
    return session;
  }

  dispose(): void {
    this.#connection.close();
    this.#worker.terminate();
  }

  #post(message: EngineWorkerMessage, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** The capture worker's end of a session. */
export class TestSession {
  readonly id = newSessionId();
  readonly acknowledged = new Map<SourceId, number>();
  readonly #send: (message: SpeechMessage) => void;

  constructor(send: (message: SpeechMessage) => void) {
    this.#send = send;
  }

  acknowledge({ sourceId, upTo }: SpeechAcknowledged): void {
    expect(upTo).toBeGreaterThan(this.acknowledged.get(sourceId) ?? -1);
    this.acknowledged.set(sourceId, upTo);
  }

  send(messages: readonly SpeechMessage[]): void {
    for (const message of messages) this.#send(message);
  }
}
