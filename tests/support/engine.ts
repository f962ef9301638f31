import { expect } from 'vitest';
import type { SpeechAcknowledged, SpeechMessage } from '@core/protocol/audio.ts';
import type {
  EngineApi,
  EngineEvent,
  EngineEvents,
  RecognitionSettings,
  SegmentDroppedEvent,
  SegmentEvent,
} from '@core/protocol/engine.ts';
import { newSessionId, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { parseWav } from './wav.ts';

/** The known-answer clip: mono, 16 kHz. */
export async function knownAnswer(): Promise<Float32Array> {
  const response = await fetch('/known-answer.wav');
  return parseWav(new Uint8Array(await response.arrayBuffer())).samples;
}

/** A real engine worker as the page's client drives it, with the fault hook that the client leaves out. */
export class TestEngine {
  readonly events: EngineEvent[] = [];
  readonly #worker = new Worker(new URL('../../workers/engine/engine.worker.ts', import.meta.url), {
    type: 'module',
  });
  readonly api = createRpc<EngineApi, EngineEvents>(this.#worker, {
    event: (event) => {
      this.events.push(event);
      for (const check of [...this.#waiting]) check();
    },
  });
  readonly #waiting = new Set<() => void>();

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

  async open(settings: RecognitionSettings): Promise<TestSession> {
    const sessionId = newSessionId();
    const { port1, port2 } = new MessageChannel();
    await this.api.openSession({ sessionId, settings }, port1);
    return new TestSession(sessionId, port2);
  }

  dispose(): void {
    this.api.$close();
    this.#worker.terminate();
  }
}

/** The capture worker's end of a session. */
export class TestSession {
  readonly id: SessionId;
  readonly acknowledged = new Map<SourceId, number>();
  readonly #port: MessagePort;

  constructor(id: SessionId, port: MessagePort) {
    this.id = id;
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<SpeechAcknowledged>) => {
      expect(data.upTo).toBeGreaterThan(this.acknowledged.get(data.sourceId) ?? -1);
      this.acknowledged.set(data.sourceId, data.upTo);
    };
  }

  send(messages: readonly SpeechMessage[]): void {
    for (const message of messages) this.#port.postMessage(message);
  }
}
