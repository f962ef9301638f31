import {
  SAMPLE_RATE_HZ,
  samplesToMs,
  type SpeechAcknowledged,
  type SpeechMessage,
} from '@core/protocol/audio.ts';
import type {
  EngineEvent,
  RecognitionSettings,
  SegmentDroppedEvent,
  SessionConfig,
  SessionProgress,
  SessionStatistics,
  SourceDescription,
} from '@core/protocol/engine.ts';
import type { UnisonoError } from '@core/protocol/errors.ts';
import {
  sampleIndex,
  segmentIdOf,
  type SampleIndex,
  type SegmentId,
  type SourceId,
} from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import { deferred } from '@core/util/deferred.ts';
import type { StoredProgress } from '@src/storage/database.ts';
import type { DecodeRequest, DecodeTask } from './decoder.ts';
import type { RunningNote, SegmentCommit } from './engine-store.ts';
import { LagMeter } from './lag-meter.ts';
import { RecentSpeech } from './recent-speech.ts';
import { SourceProgress } from './source-progress.ts';
import { Utterance } from './utterance.ts';

export interface SessionEffects {
  decode(request: DecodeRequest): DecodeTask;
  now(): number;
  /** Higher than any before, of any session. */
  nextRev(): number;
  publish(event: EngineEvent): void;
  acknowledge(message: SpeechAcknowledged): void;
  /** More of an utterance under way is certain. */
  note(note: RunningNote): void;
  /** Stores it in its turn, however often that has to be tried, and calls `stored` then. */
  commit(commit: SegmentCommit, stored: () => void): void;
  warn(code: string, message: string): void;
}

/** What an earlier engine, or an earlier sender, left of a session. */
export interface StoredSession {
  readonly progress: readonly StoredProgress[];
  /** Not final. */
  readonly running: readonly Segment[];
}

interface Source {
  description: SourceDescription;
  /** Not yet final, in the order of their start. */
  readonly open: Map<SampleIndex, Utterance>;
  readonly recent: RecentSpeech;
  readonly progress: SourceProgress;
}

/**
 * One meeting: its sources, their utterances, and what has become of them. What is final is shown at once and
 * acknowledged once it is stored. Lives in the engine worker.
 */
export class Session {
  readonly #id: SessionConfig['sessionId'];
  readonly #effects: SessionEffects;
  readonly #sources = new Map<SourceId, Source>();
  readonly #stored: ReadonlyMap<SourceId, StoredProgress>;
  /** Shown as certain: when their utterances are read again, they stay. */
  readonly #running: ReadonlyMap<SegmentId, Segment>;
  readonly #held = new Set<Utterance>();
  /** Its sender died in the middle of it. */
  readonly #cut = new Set<Utterance>();
  readonly #lag: LagMeter;
  readonly #statistics = { partialCalls: 0, finalCalls: 0, decodedAudioS: 0, utterances: 0, dropped: 0 };
  #settings: RecognitionSettings;
  #deaf = false;
  #halted: UnisonoError | null = null;
  #changed = deferred<void>();

  constructor(
    { sessionId, settings, sources }: SessionConfig,
    stored: StoredSession,
    effects: SessionEffects,
  ) {
    this.#id = sessionId;
    this.#settings = settings;
    this.#effects = effects;
    this.#stored = new Map(stored.progress.map((one) => [one.sourceId, one]));
    this.#running = new Map(stored.running.map((segment) => [segment.id, segment]));
    this.#lag = new LagMeter((lagMs, waitingUtterances) =>
      effects.publish({ type: 'lag', sessionId, lagMs, waitingUtterances }),
    );
    for (const source of sources) this.addSource(source);
  }

  get statistics(): SessionStatistics {
    return { ...this.#statistics };
  }

  get settings(): RecognitionSettings {
    return this.#settings;
  }

  get progress(): SessionProgress {
    const reached = new Map<SourceId, SampleIndex>();
    for (const [sourceId, { acknowledged }] of this.#stored) reached.set(sourceId, acknowledged);
    for (const [sourceId, { progress }] of this.#sources) reached.set(sourceId, progress.acknowledged);
    return { acknowledged: [...reached].map(([sourceId, upTo]) => ({ sourceId, upTo })) };
  }

  /** Speech received and not yet final, of all sources. */
  get lagMs(): number {
    return samplesToMs(this.#openUtterances().reduce((sum, { receivedSamples }) => sum + receivedSamples, 0));
  }

  addSource(description: SourceDescription): void {
    const { sourceId } = description;
    const known = this.#sources.get(sourceId);
    if (known) known.description = description;
    else this.#sources.set(sourceId, newSource(description, this.#stored.get(sourceId)));
  }

  /** Holds for the utterances that begin from now on, and for those that no model could read. */
  update(settings: RecognitionSettings): void {
    this.#settings = settings;
    this.retryHeld();
  }

  retryHeld(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const utterance of held) utterance.retry(this.#settings);
  }

  receive(message: SpeechMessage): void {
    if (this.#deaf) return;
    const source = this.#source(message.sourceId);
    if (message.type === 'source-clock') {
      source.progress.hear(message.captured, message.ended);
      this.#moved(source);
      return;
    }
    const utterance = source.open.get(message.utterance);
    switch (message.type) {
      case 'speech-start':
        this.#open(source, message.utterance);
        break;
      case 'speech-audio':
        utterance?.append(message.start, message.samples);
        break;
      case 'speech-pause':
        utterance?.pause(message.at);
        break;
      case 'speech-resume':
        utterance?.resume();
        break;
      case 'speech-end':
        utterance?.finish(message.end);
        break;
      case 'speech-cancel':
        utterance?.cancel();
        break;
    }
    this.#measureLag();
  }

  /**
   * Ends what is still open and takes no more. Resolves when all is final and stored.
   * @throws UnisonoError why the session was halted
   */
  async close(): Promise<void> {
    this.#deaf = true;
    for (const utterance of this.#openUtterances()) {
      utterance.finish(sampleIndex(utterance.start + utterance.receivedSamples));
    }
    await this.#until(
      () =>
        this.#openUtterances().length === 0 && !this.#all().some(({ progress }) => progress.waitsForStore),
    );
  }

  /**
   * The sender died: finishes as {@link close} does, but what broke off is not acknowledged: if its audio was kept,
   * it is read again, whole.
   */
  async abandon(): Promise<void> {
    for (const utterance of this.#openUtterances()) if (utterance.end === null) this.#cut.add(utterance);
    await this.close();
  }

  /** Takes no more, gives up what has not ended, and resolves when the rest is final, but for what no model can read. */
  async drain(): Promise<void> {
    this.#deaf = true;
    for (const utterance of this.#openUtterances()) if (utterance.end === null) utterance.halt();
    await this.#until(() =>
      this.#openUtterances().every((utterance) => utterance.end === null || this.#held.has(utterance)),
    );
  }

  /** From now on it says nothing, stores nothing, and acknowledges nothing. */
  halt(reason: UnisonoError): void {
    this.#deaf = true;
    this.#halted ??= reason;
    for (const utterance of this.#openUtterances()) utterance.halt();
    this.#notify();
  }

  /** Speech whose source was not announced is not lost for that. */
  #source(sourceId: SourceId): Source {
    if (!this.#sources.has(sourceId)) this.addSource({ sourceId, kind: 'microphone', offsetMs: 0 });
    return this.#sources.get(sourceId)!;
  }

  #open(source: Source, start: SampleIndex): void {
    if (!source.progress.begin(start)) return;
    const { sourceId, offsetMs, kind, recoveredFrom } = source.description;
    const { recent } = source;
    const sessionId = this.#id;
    const segmentId = segmentIdOf(sourceId, start);
    const statistics = this.#statistics;
    const recovered = recoveredFrom !== undefined;
    const shown = this.#running.get(segmentId) ?? null;
    let noted = shown?.committed.length ?? 0;
    const drop = (rev: number, reason: SegmentDroppedEvent['reason']): void => {
      statistics.dropped += 1;
      this.#effects.publish({ type: 'segment-dropped', sessionId, segmentId, rev, reason });
    };
    statistics.utterances += 1;
    const utterance = new Utterance(
      { sourceId, start, offsetMs, live: kind !== 'file' && !recovered, recovered, recent, shown },
      this.#settings,
      {
        decode: (request) => this.#effects.decode({ ...request, session: sessionId }),
        now: () => this.#effects.now(),
        nextRev: () => this.#effects.nextRev(),
        counted: (kind, samples) => {
          statistics[`${kind}Calls`] += 1;
          statistics.decodedAudioS += samples / SAMPLE_RATE_HZ;
        },
        recounted: (from, to) => {
          statistics[`${from}Calls`] -= 1;
          statistics[`${to}Calls`] += 1;
        },
        partial: (segment) => {
          this.#effects.publish({ type: 'partial', sessionId, segment });
          if (segment.committed.length === noted) return;
          noted = segment.committed.length;
          this.#effects.note({ sessionId, segmentId, segment: { ...segment, tentative: [] } });
        },
        final: (segment, audio) => {
          recent.add(start, audio, segment.committed, segment.language);
          this.#effects.publish({ type: 'segment', sessionId, segment });
          this.#settle(source, utterance, segment);
        },
        dropped: (reason, rev) => {
          drop(rev, reason);
          this.#settle(source, utterance, null);
        },
        cancelled: (rev) => {
          drop(rev, 'cancelled');
          if (noted > 0) this.#effects.note({ sessionId, segmentId, segment: null });
          this.#forget(source, utterance);
          source.progress.cancel(start);
          this.#moved(source);
        },
        held: () => {
          if (this.#held.size === 0) {
            this.#effects.warn('utterances-held', 'No model answers: speech is kept until one does.');
          }
          this.#held.add(utterance);
          this.#notify();
        },
      },
    );
    source.open.set(start, utterance);
  }

  /** Shown: now it is stored, and then acknowledged. */
  #settle(source: Source, utterance: Utterance, segment: Segment | null): void {
    const { start } = utterance;
    const { sourceId } = source.description;
    const cut = this.#cut.has(utterance);
    this.#forget(source, utterance);
    const acknowledged = source.progress.settle(start, cut ? start : (utterance.end ?? start));
    this.#effects.commit(
      {
        sessionId: this.#id,
        segmentId: segmentIdOf(sourceId, start),
        segment,
        progress: { sessionId: this.#id, sourceId, acknowledged, recent: source.recent.stored },
      },
      () => {
        source.progress.stored(start);
        this.#moved(source);
      },
    );
    this.#moved(source);
  }

  #forget(source: Source, utterance: Utterance): void {
    source.open.delete(utterance.start);
    this.#held.delete(utterance);
    this.#cut.delete(utterance);
  }

  /** An utterance or a stretch of silence is over, or stored: tells the sender what it need not keep. */
  #moved(source: Source): void {
    if (this.#halted) return;
    const { sourceId } = source.description;
    const upTo = source.progress.advance();
    if (upTo !== null) this.#effects.acknowledge({ type: 'acknowledged', sourceId, upTo });
    this.#measureLag();
    this.#notify();
  }

  async #until(done: () => boolean): Promise<void> {
    while (!this.#halted && !done()) await this.#changed.promise;
    if (this.#halted) throw this.#halted;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }

  #all(): readonly Source[] {
    return [...this.#sources.values()];
  }

  #openUtterances(): readonly Utterance[] {
    return this.#all().flatMap((source) => [...source.open.values()]);
  }

  #measureLag(): void {
    const waiting = this.#openUtterances().filter(({ end }) => end !== null).length;
    this.#lag.measure(this.#effects.now(), this.lagMs, waiting);
  }
}

const newSource = (description: SourceDescription, stored: StoredProgress | undefined): Source => ({
  description,
  open: new Map(),
  recent: new RecentSpeech(stored?.recent),
  progress: new SourceProgress(stored?.acknowledged ?? sampleIndex(0)),
});
