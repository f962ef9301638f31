import {
  SAMPLE_RATE_HZ,
  samplesToMs,
  type SpeechAcknowledged,
  type SpeechMessage,
} from '@core/protocol/audio.ts';
import type {
  EngineEvent,
  RecognitionSettings,
  SessionConfig,
  SessionStatistics,
  SourceDescription,
} from '@core/protocol/engine.ts';
import { sampleIndex, segmentIdOf, type SampleIndex, type SourceId } from '@core/protocol/ids.ts';
import { deferred } from '@core/util/deferred.ts';
import type { DecodeRequest, DecodeTask } from './decoder.ts';
import { LagMeter } from './lag-meter.ts';
import { RecentSpeech } from './recent-speech.ts';
import { Utterance } from './utterance.ts';

export interface SessionEffects {
  decode(request: DecodeRequest): DecodeTask;
  now(): number;
  publish(event: EngineEvent): void;
  acknowledge(message: SpeechAcknowledged): void;
  warn(code: string, message: string): void;
}

interface Source {
  readonly description: SourceDescription;
  /** Not yet final, in the order of their start. */
  readonly open: Map<SampleIndex, Utterance>;
  readonly recent: RecentSpeech;
  captured: number;
  ended: boolean;
  acknowledged: number;
}

/**
 * The source's clock runs ahead of the next utterance's start by up to the gate's pre-roll and
 * what it needs to notice speech: that much silence is never acknowledged.
 */
const UNACKNOWLEDGED_SAMPLES = 2 * SAMPLE_RATE_HZ;

/** Speech kept while no model answers: 20 min are 77 MB. */
const HELD_LIMIT_SAMPLES = 20 * 60 * SAMPLE_RATE_HZ;

/** One meeting: its sources, their utterances, and what has become of them. Lives in the engine worker. */
export class Session {
  readonly #id: SessionConfig['sessionId'];
  readonly #effects: SessionEffects;
  readonly #sources = new Map<SourceId, Source>();
  readonly #held = new Set<Utterance>();
  readonly #lag: LagMeter;
  readonly #statistics = { partialCalls: 0, finalCalls: 0, decodedAudioS: 0, utterances: 0, dropped: 0 };
  #settings: RecognitionSettings;
  #changed = deferred<void>();

  constructor({ sessionId, settings }: SessionConfig, effects: SessionEffects) {
    this.#id = sessionId;
    this.#settings = settings;
    this.#effects = effects;
    this.#lag = new LagMeter((lagMs, waitingUtterances) =>
      effects.publish({ type: 'lag', sessionId, lagMs, waitingUtterances }),
    );
  }

  get statistics(): SessionStatistics {
    return { ...this.#statistics };
  }

  get settings(): RecognitionSettings {
    return this.#settings;
  }

  addSource(description: SourceDescription): void {
    const { sourceId } = description;
    const known = this.#sources.get(sourceId);
    this.#sources.set(sourceId, known ? { ...known, description } : newSource(description));
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
    const source = this.#source(message.sourceId);
    if (message.type === 'source-clock') {
      source.captured = message.captured;
      source.ended = message.ended;
      this.#settled(source);
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

  /** Resolves when every source has said that it ended: nothing more is on its way. */
  async ended(): Promise<void> {
    while ([...this.#sources.values()].some((source) => !source.ended)) await this.#change();
  }

  /** Ends what is still open, as when a capture worker died, and resolves when all is final. */
  async drain(): Promise<void> {
    for (const source of this.#sources.values()) {
      for (const utterance of source.open.values()) {
        utterance.finish(sampleIndex(utterance.start + utterance.receivedSamples));
      }
    }
    while (this.#openUtterances().length > this.#held.size) await this.#change();
    if (this.#held.size > 0) {
      this.#effects.warn('utterances-lost', `${this.#held.size} utterances could not be read by any model.`);
      for (const utterance of this.#held) utterance.cancel();
    }
  }

  #source(sourceId: SourceId): Source {
    let source = this.#sources.get(sourceId);
    if (!source) {
      source = newSource({ sourceId, kind: 'microphone', offsetMs: 0 });
      this.#sources.set(sourceId, source);
    }
    return source;
  }

  #open(source: Source, start: SampleIndex): void {
    if (source.open.has(start)) return;
    const { sourceId, offsetMs, kind } = source.description;
    const { recent } = source;
    const sessionId = this.#id;
    const segmentId = segmentIdOf(sourceId, start);
    const close = (): void => {
      source.open.delete(start);
      this.#held.delete(utterance);
      this.#settled(source);
    };
    const statistics = this.#statistics;
    statistics.utterances += 1;
    const utterance = new Utterance(
      { sourceId, start, offsetMs, live: kind !== 'file', recent },
      this.#settings,
      {
        decode: (request) => this.#effects.decode({ ...request, session: sessionId }),
        now: () => this.#effects.now(),
        counted: (kind, samples) => {
          statistics[`${kind}Calls`] += 1;
          statistics.decodedAudioS += samples / SAMPLE_RATE_HZ;
        },
        recounted: (from, to) => {
          statistics[`${from}Calls`] -= 1;
          statistics[`${to}Calls`] += 1;
        },
        partial: (segment) => this.#effects.publish({ type: 'partial', sessionId, segment }),
        final: (segment, audio) => {
          recent.add(start, audio, segment.committed, segment.language);
          this.#effects.publish({ type: 'segment', sessionId, segment });
          close();
        },
        dropped: (reason, rev) => {
          statistics.dropped += 1;
          this.#effects.publish({ type: 'segment-dropped', sessionId, segmentId, rev, reason });
          close();
        },
        held: () => this.#hold(utterance),
      },
    );
    source.open.set(start, utterance);
  }

  #hold(utterance: Utterance): void {
    if (this.#held.size === 0) {
      this.#effects.warn('utterances-held', 'No model answers: speech is kept until one does.');
    }
    this.#held.add(utterance);
    let samples = 0;
    for (const held of this.#held) samples += held.receivedSamples;
    const [oldest] = this.#held;
    if (samples > HELD_LIMIT_SAMPLES && oldest) {
      this.#effects.warn(
        'held-limit',
        'More speech than can be kept without a model: the oldest is given up.',
      );
      oldest.cancel();
    }
    this.#notify();
  }

  #change(): Promise<void> {
    return this.#changed.promise;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }

  /** An utterance or a stretch of silence is over: tells the sender what it need not keep. */
  #settled(source: Source): void {
    const open = [...source.open.keys()];
    const silentUpTo = source.ended ? source.captured : source.captured - UNACKNOWLEDGED_SAMPLES;
    const upTo = open.length > 0 ? Math.min(...open) : silentUpTo;
    if (upTo > source.acknowledged) {
      source.acknowledged = upTo;
      const { sourceId } = source.description;
      this.#effects.acknowledge({ type: 'acknowledged', sourceId, upTo: sampleIndex(upTo) });
    }
    this.#measureLag();
    this.#notify();
  }

  #openUtterances(): readonly Utterance[] {
    return [...this.#sources.values()].flatMap((source) => [...source.open.values()]);
  }

  #measureLag(): void {
    const open = this.#openUtterances();
    const samples = open.reduce((sum, utterance) => sum + utterance.receivedSamples, 0);
    const waiting = open.filter((utterance) => utterance.ended).length;
    this.#lag.measure(this.#effects.now(), samplesToMs(samples), waiting);
  }
}

const newSource = (description: SourceDescription): Source => ({
  description,
  open: new Map(),
  recent: new RecentSpeech(),
  captured: 0,
  ended: false,
  acknowledged: 0,
});
