import { UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SegmentId, SessionId, SourceId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { StoredProgress, StoredRecording } from '@src/storage/database.ts';
import type { JournalFile } from '@workers/capture/journal.ts';
import type { EngineStore } from '@workers/engine/engine-store.ts';
import type { SimThread } from './world.ts';

/** A file that loses, when its tab dies, what was written since it was last flushed. */
export class SimFile implements JournalFile {
  #bytes = new Uint8Array(0);
  #size = 0;
  #flushed = 0;

  write(data: AllowSharedBufferSource, { at = 0 }: { at?: number } = {}): number {
    const bytes = bytesOf(data);
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length, 1 << 17));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
    return bytes.length;
  }

  read(data: AllowSharedBufferSource, { at = 0 }: { at?: number } = {}): number {
    const bytes = this.#bytes.subarray(at, Math.min(this.#size, at + data.byteLength));
    bytesOf(data).set(bytes);
    return bytes.length;
  }

  getSize(): number {
    return this.#size;
  }

  /** Samples in it. */
  get recorded(): number {
    return this.#size / 2;
  }

  flush(): void {
    this.#flushed = this.#size;
  }

  close(): void {
    this.flush();
  }

  /** Its tab died: what was not flushed never reached the disk. */
  crash(): void {
    this.#size = this.#flushed;
  }
}

const bytesOf = (data: AllowSharedBufferSource): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);

/** What outlives every tab: the database and the files of one simulated browser. */
export class SimDisk {
  epoch = 0;
  /** Writes that a store refused because their epoch was over. */
  refused = 0;
  readonly segments = new Map<SessionId, Map<SegmentId, Segment>>();
  readonly progress = new Map<SessionId, Map<SourceId, StoredProgress>>();
  readonly recordings = new Map<SessionId, StoredRecording>();
  readonly files = new Map<string, SimFile>();
  /** Hears of every commit that landed, with the epoch that wrote it. */
  onCommit: (epoch: number) => void = () => undefined;

  takeEpoch(thread: SimThread, above: number): Promise<Epoch> {
    return thread.transact(() => (this.epoch = Math.max(this.epoch, above) + 1) as Epoch);
  }

  segmentsOf(session: SessionId): Map<SegmentId, Segment> {
    return entry(this.segments, session, () => new Map<SegmentId, Segment>());
  }

  progressOf(session: SessionId): Map<SourceId, StoredProgress> {
    return entry(this.progress, session, () => new Map<SourceId, StoredProgress>());
  }

  /** The engine's store as DatabaseStore is one. */
  storeOf(thread: SimThread, epoch: Epoch): EngineStore {
    return {
      progress: (session) => thread.transact(() => [...this.progressOf(session).values()]),
      segments: (session) => thread.transact(() => [...this.segmentsOf(session).values()]),
      note: ({ sessionId, segmentId, segment }) =>
        thread.transact(() => {
          if (this.epoch !== epoch) throw new UnisonoError('engine-changed', `Epoch ${epoch} is over.`);
          const segments = this.segmentsOf(sessionId);
          if (segment) segments.set(segmentId, segment);
          else segments.delete(segmentId);
        }),
      // Nobody reads a translation here.
      isRecorded: async () => false,
      translations: async () => [],
      putTranslation: async () => undefined,
      commit: ({ sessionId, segmentId, segment, progress }) =>
        thread.transact(() => {
          if (this.epoch !== epoch) {
            this.refused += 1;
            throw new UnisonoError('engine-changed', `Epoch ${epoch} is over.`);
          }
          this.onCommit(epoch);
          const segments = this.segmentsOf(sessionId);
          if (segment) segments.set(segmentId, segment);
          else segments.delete(segmentId);
          this.progressOf(sessionId).set(progress.sourceId, progress);
        }),
    };
  }

  removeSegmentsFrom(session: SessionId, sample: number): void {
    const segments = this.segmentsOf(session);
    for (const id of segments.keys())
      if (Number(id.slice(id.lastIndexOf('-') + 1)) >= sample) segments.delete(id);
  }

  journal(session: SessionId, source: SourceId): SimFile {
    return entry(this.files, `${session}/${source}`, () => new SimFile());
  }
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
