import { samplesToMs, type SpeechAcknowledged, type SpeechMessage } from '@core/protocol/audio.ts';
import type { CaptureEvents } from '@core/protocol/capture.ts';
import {
  NOTHING_DONE,
  type RecognitionSettings,
  type SessionStatistics,
  type SourceDescription,
} from '@core/protocol/engine.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { EngineConnection } from '@core/tabs/engine-connection.ts';
import type { Clock } from '@core/util/clock.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { BacklogTeller } from './backlog.ts';
import type { SpeechDescriptor } from './speech-sender.ts';
import { UplinkLane } from './uplink-lane.ts';

/** Between two tries to open or close a session that the engine refused. */
const RETRY_MS = 1000;

export interface UplinkParts {
  readonly sessionId: SessionId;
  readonly settings: RecognitionSettings;
  readonly connection: Pick<EngineConnection, 'owner' | 'call' | 'speech'>;
  readonly clock: Clock;
  /** From the journal. */
  read(sourceId: SourceId, start: number, end: number): Float32Array<ArrayBuffer>;
  /** Everything of the source before `upTo` is stored. */
  acknowledged(sourceId: SourceId, upTo: number): void;
  backlog: CaptureEvents['backlog'];
  /** Something failed and is tried again. */
  warn(code: string, message: string): void;
}

interface Source {
  readonly description: SourceDescription;
  readonly lane: UplinkLane;
}

/** One engine's hold of the session, until it or the session is gone. */
interface Attachment {
  readonly over: AbortController;
  settings: RecognitionSettings;
  /** Sources the engine knows. */
  readonly sources: Set<SourceId>;
  state: 'opening' | 'open' | 'closing' | 'closed';
}

/**
 * A session's way to whichever engine there is. Keeps what no engine has stored, as ranges of the journal; sends it in order,
 * a bounded amount at a time, and to another engine once more. With no engine it waits.
 */
export class Uplink {
  readonly #parts: UplinkParts;
  readonly #sources = new Map<SourceId, Source>();
  readonly #backlog: BacklogTeller;
  readonly #opened = deferred<void>();
  #settings: RecognitionSettings;
  #attachment: Attachment | null = null;
  #finishing: Deferred<SessionStatistics> | null = null;
  #statistics = NOTHING_DONE;

  constructor(parts: UplinkParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    const current = () => ({
      speechMs: samplesToMs(this.#lanes.reduce((sum, lane) => sum + lane.unacknowledged, 0)),
      attached: parts.connection.owner !== null,
    });
    this.#backlog = new BacklogTeller(parts.clock, current, (backlog) => parts.backlog(backlog));
  }

  /** Resolves when an engine has told for the first time how far the session is stored. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** The connection is attached to this owner, or to none. */
  ownerChanged(attached: boolean): void {
    this.#leave();
    if (attached) this.#open();
    else this.#settle();
    this.#backlog.changed();
  }

  acknowledged({ sourceId, upTo }: Omit<SpeechAcknowledged, 'type'>): void {
    this.#acknowledge(sourceId, upTo);
    this.#pump();
  }

  /** Before the source says anything. */
  addSource(description: SourceDescription): void {
    this.#sources.set(description.sourceId, { description, lane: new UplinkLane() });
    this.#update();
  }

  updateSettings(settings: RecognitionSettings): void {
    this.#settings = settings;
    this.#update();
  }

  push(message: SpeechDescriptor): void {
    this.#sources.get(message.sourceId)?.lane.push(message);
    this.#backlog.changed();
    this.#pump();
  }

  /** Samples of the source's speech that are not stored. */
  unacknowledged(sourceId: SourceId): number {
    return this.#sources.get(sourceId)?.lane.unacknowledged ?? 0;
  }

  /** Everything of the source before this sample is stored. */
  acknowledgedUpTo(sourceId: SourceId): number {
    return this.#sources.get(sourceId)?.lane.acknowledged ?? 0;
  }

  /** After every source has ended: resolves when all that was said is stored, however long an engine takes to come. */
  finish(): Promise<SessionStatistics> {
    this.#finishing ??= deferred();
    this.#pump();
    return this.#finishing.promise;
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#leave();
    this.#backlog.close();
  }

  get #lanes(): readonly UplinkLane[] {
    return [...this.#sources.values()].map(({ lane }) => lane);
  }

  #leave(): void {
    this.#attachment?.over.abort();
    this.#attachment = null;
  }

  #open(): void {
    const { sessionId, connection } = this.#parts;
    const sources = [...this.#sources.values()].map(({ description }) => description);
    const attachment: Attachment = {
      over: new AbortController(),
      settings: this.#settings,
      sources: new Set(sources.map(({ sourceId }) => sourceId)),
      state: 'opening',
    };
    this.#attachment = attachment;
    const { signal } = attachment.over;
    connection.call('openSession', [{ sessionId, settings: this.#settings, sources }], { signal }).then(
      ({ acknowledged }) => {
        if (signal.aborted) return;
        attachment.state = 'open';
        for (const lane of this.#lanes) lane.restart();
        for (const { sourceId, upTo } of acknowledged) this.#acknowledge(sourceId, upTo);
        this.#opened.resolve();
        this.#update();
        this.#pump();
      },
      (error: unknown) => this.#failed(attachment, error),
    );
  }

  /** Tells the engine what has changed since it opened the session. */
  #update(): void {
    const attachment = this.#attachment;
    if (attachment?.state !== 'open') return;
    const { sessionId, connection } = this.#parts;
    const { signal } = attachment.over;
    const failed = (error: unknown) => this.#failed(attachment, error);
    if (attachment.settings !== this.#settings) {
      attachment.settings = this.#settings;
      connection.call('updateSession', [sessionId, this.#settings], { signal }).catch(failed);
    }
    for (const { description } of this.#sources.values()) {
      if (attachment.sources.has(description.sourceId)) continue;
      attachment.sources.add(description.sourceId);
      connection.call('addSource', [sessionId, description], { signal }).catch(failed);
    }
  }

  /** The engine is there and refuses: asked again from the start, as it may have lost the session. */
  #failed(attachment: Attachment, error: unknown): void {
    if (attachment.over.signal.aborted) return;
    this.#parts.warn('engine-refused', `The engine did not take the recording: ${String(error)}.`);
    this.#openAgain(attachment);
  }

  #openAgain(attachment: Attachment): void {
    attachment.state = 'opening';
    const { signal } = attachment.over;
    const callOff = this.#parts.clock.after(RETRY_MS, () => {
      if (signal.aborted) return;
      this.#leave();
      this.#open();
    });
    signal.addEventListener('abort', callOff);
  }

  #acknowledge(sourceId: SourceId, upTo: number): void {
    this.#sources.get(sourceId)?.lane.acknowledge(upTo);
    this.#parts.acknowledged(sourceId, upTo);
    this.#backlog.changed();
  }

  #pump(): void {
    const { sessionId, connection } = this.#parts;
    if (this.#attachment?.state === 'open') {
      for (const { lane } of this.#sources.values()) {
        for (let message = lane.next(); message; message = lane.next()) {
          if (!connection.speech(sessionId, this.#withSamples(message))) return;
          lane.sent(message);
        }
      }
    }
    this.#settle();
  }

  #withSamples(message: SpeechDescriptor): SpeechMessage {
    if (message.type !== 'speech-audio') return message;
    const { end, ...rest } = message;
    return { ...rest, samples: this.#read(message.sourceId, message.start, end) };
  }

  /** What the disk does not give back is silence: what was said around it still arrives. */
  #read(sourceId: SourceId, start: number, end: number): Float32Array<ArrayBuffer> {
    try {
      return this.#parts.read(sourceId, start, end);
    } catch (thrown) {
      this.#parts.warn('journal-unreadable', `A part of the recording could not be read: ${String(thrown)}.`);
      return new Float32Array(end - start);
    }
  }

  /** The session is over once all is stored; an engine that has it open closes it. */
  #settle(): void {
    if (!this.#finishing) return;
    const stored = this.#lanes.every((lane) => lane.settled);
    const attachment = this.#attachment;
    if (stored && (!attachment || attachment.state === 'closed')) {
      this.#finishing.resolve(this.#statistics);
      this.close();
      return;
    }
    if (attachment?.state === 'open' && this.#lanes.every((lane) => lane.allSent)) this.#close(attachment);
  }

  #close(attachment: Attachment): void {
    attachment.state = 'closing';
    const { sessionId, connection } = this.#parts;
    const { signal } = attachment.over;
    connection.call('closeSession', [sessionId], { signal }).then(
      (statistics) => {
        if (signal.aborted) return;
        this.#statistics = statistics;
        attachment.state = 'closed';
        this.#settle();
        // An engine that does not say it has stored everything may never have had it.
        if (attachment === this.#attachment) this.#openAgain(attachment);
      },
      (error: unknown) => this.#failed(attachment, error),
    );
  }
}
