import type { EngineEvent, TranslationEvent } from '@core/protocol/engine.ts';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { Direction } from '@core/translation/directions.ts';
import { MeetingTranslation } from '@core/translation/meeting-translation.ts';
import type { Sentence, SentenceRequest } from '@core/translation/translate-sentence.ts';
import type { SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import { asComplete } from '@src/storage/meetings.ts';
import type { EngineClient } from './client.ts';
import type { EngineStore } from './engine-store.ts';

export interface TranslationsEffects {
  readonly store: Pick<EngineStore, 'isRecorded' | 'segments' | 'translations' | 'putTranslation'>;
  translate(request: SentenceRequest): Promise<Sentence>;
  /** Models of the direction that have failed get another chance. Resolves when they are on their way. */
  askAnew(direction: Direction): Promise<void>;
  publish(event: TranslationEvent): void;
  /** Said once for as long as it lasts. */
  notStored(error: UnisonoError): void;
  /** Another engine owns the device: nothing more will be stored. */
  fenced(error: UnisonoError): void;
}

interface Reading extends Pick<TranslationView, 'sessionId' | 'target'> {
  readonly clients: Set<EngineClient>;
  readonly meeting: MeetingTranslation;
  /** What is said before what is stored has been read; null afterwards. */
  heard: Map<SegmentId, Segment> | null;
}

/**
 * What is read in another language: one view per client, and one translation of a meeting for all who read it in the
 * same language. Those of the present glossary replace others. Lives in the engine worker.
 */
export class Translations {
  readonly #effects: TranslationsEffects;
  readonly #readings = new Map<string, Reading>();
  /** Of each open session what is not stored yet. */
  readonly #live = new Map<SessionId, Map<SegmentId, Segment>>();
  /** What is not stored yet, or was not taken by the disk. */
  readonly #unsaved = new Map<string, SegmentTranslation>();
  #saving: Promise<void> | null = null;
  #failing = false;
  #closed = false;

  constructor(effects: TranslationsEffects) {
    this.#effects = effects;
  }

  /** What the client reads from now on. Said again, it also gives models that have failed another chance. */
  setView(client: EngineClient, view: TranslationView | null): void {
    if (this.#closed) return;
    const key = view && keyOf(view);
    for (const [other, { clients, meeting }] of this.#readings) {
      if (other === key || !clients.delete(client) || clients.size > 0) continue;
      meeting.close();
      this.#readings.delete(other);
    }
    if (!view) return;
    const known = this.#readings.get(keyOf(view));
    if (!known?.clients.has(client))
      for (const translation of this.#unsavedOf(view)) this.#publish(translation);
    known?.clients.add(client);
    if (known && isSame(known.meeting.glossary, view.glossary)) void this.#askAnew(known);
    else this.#begin(view, known ?? null, client);
  }

  clientGone(client: EngineClient): void {
    this.setView(client, null);
  }

  /** Something was said or taken back. */
  observe(event: EngineEvent): void {
    if (this.#closed) return;
    if (event.type === 'partial' || event.type === 'segment') {
      const { sessionId, segment } = event;
      this.#live.get(sessionId)?.set(segment.id, segment);
      for (const { meeting, heard } of this.#of(sessionId)) {
        if (heard) heard.set(segment.id, segment);
        else meeting.hear(segment);
      }
    } else if (event.type === 'segment-dropped') {
      const { sessionId, segmentId } = event;
      this.#live.get(sessionId)?.delete(segmentId);
      for (const { meeting, heard, target } of this.#of(sessionId)) {
        heard?.delete(segmentId);
        meeting.drop(segmentId);
        this.#unsaved.delete(keyOf({ sessionId, target }, segmentId));
      }
    } else if (event.type === 'session') {
      const { sessionId, state } = event;
      if (state === 'closed') this.#live.delete(sessionId);
      else if (!this.#live.has(sessionId)) this.#live.set(sessionId, new Map());
    }
  }

  /** The store has the segment, or knows that there is none: from there it is read where somebody wants it. */
  stored({ sessionId, segmentId }: { readonly sessionId: SessionId; readonly segmentId: SegmentId }): void {
    this.#live.get(sessionId)?.delete(segmentId);
  }

  /** A model has come. */
  retryHeld(): void {
    for (const { meeting } of this.#readings.values()) meeting.retry();
  }

  /** What is translated in open sessions. */
  directions(): readonly Direction[] {
    return [...this.#readings.values()]
      .filter(({ sessionId }) => this.#live.has(sessionId))
      .flatMap(({ meeting, target }) => [...meeting.languages].map((from) => ({ from, to: target })));
  }

  /** Translates nothing more. Resolves when what is translated is stored or could not be. Never rejects. */
  async drain(): Promise<void> {
    this.#end();
    await (this.#saving ?? this.#save());
  }

  /** Nothing more comes of any view, and nothing more is stored. */
  close(): void {
    this.#end();
    this.#unsaved.clear();
  }

  #end(): void {
    this.#closed = true;
    for (const { meeting } of this.#readings.values()) meeting.close();
    this.#readings.clear();
  }

  #of(sessionId: SessionId): readonly Reading[] {
    return [...this.#readings.values()].filter((reading) => reading.sessionId === sessionId);
  }

  #begin(view: TranslationView, known: Reading | null, client: EngineClient): void {
    const { sessionId, target, glossary } = view;
    const effects = {
      translate: (request: SentenceRequest) => this.#effects.translate(request),
      translated: (translation: SegmentTranslation) => this.#say(translation),
    };
    known?.meeting.close();
    const reading: Reading = {
      sessionId,
      target,
      clients: known?.clients ?? new Set([client]),
      meeting: new MeetingTranslation({ sessionId, target }, glossary, effects, known?.meeting),
      heard: new Map(this.#live.get(sessionId)),
    };
    this.#readings.set(keyOf(view), reading);
    void this.#load(reading);
  }

  /** Never rejects. */
  async #load(reading: Reading): Promise<void> {
    const { sessionId, target, meeting } = reading;
    let segments: readonly Segment[] = [];
    let translations: readonly SegmentTranslation[] = [];
    try {
      segments = await this.#storedSegments(sessionId);
      translations = await this.#effects.store.translations(sessionId, target);
    } catch (thrown) {
      this.#failed(thrown);
    }
    const heard = [...(reading.heard?.values() ?? [])];
    reading.heard = null;
    meeting.load(segments, [...this.#unsavedOf(reading), ...translations], heard);
  }

  /** Those to which no more is said: what goes on, or is to be read again, is heard from its session. */
  async #storedSegments(sessionId: SessionId): Promise<readonly Segment[]> {
    const { store } = this.#effects;
    const isRecorded = await store.isRecorded(sessionId);
    const segments = await store.segments(sessionId);
    const goesOn = isRecorded || this.#live.has(sessionId);
    return segments.filter(({ state }) => state === 'final' || !goesOn).map(asComplete);
  }

  async #askAnew({ meeting, target }: Reading): Promise<void> {
    await Promise.all([...meeting.held].map((from) => this.#effects.askAnew({ from, to: target })));
    meeting.retry();
  }

  #say(translation: SegmentTranslation): void {
    this.#publish(translation);
    this.#unsaved.set(keyOf(translation, translation.segmentId), translation);
    this.#saving ??= this.#save();
  }

  #publish(translation: SegmentTranslation): void {
    this.#effects.publish({ type: 'translation', sessionId: translation.sessionId, translation });
  }

  #unsavedOf({ sessionId, target }: Pick<TranslationView, 'sessionId' | 'target'>): SegmentTranslation[] {
    return [...this.#unsaved.values()].filter(
      (translation) => translation.sessionId === sessionId && translation.target === target,
    );
  }

  /**
   * One after another, of each segment the newest. What cannot be stored is shown all the same, and goes out with the
   * next. Never rejects.
   */
  async #save(): Promise<void> {
    for (let [first] = this.#unsaved; first; [first] = this.#unsaved) {
      const [key, translation] = first;
      try {
        await this.#effects.store.putTranslation(translation);
      } catch (thrown) {
        this.#failed(thrown);
        break;
      }
      this.#failing = false;
      if (this.#unsaved.get(key) === translation) this.#unsaved.delete(key);
    }
    this.#saving = null;
  }

  #failed(thrown: unknown): void {
    if (this.#closed) return;
    const error = toUnisonoError(thrown, 'storage-failed');
    if (error.code === 'engine-changed') this.#effects.fenced(error);
    else if (!this.#failing) this.#effects.notStored(error);
    this.#failing = true;
  }
}

const keyOf = (of: Pick<TranslationView, 'sessionId' | 'target'>, segmentId?: SegmentId): string =>
  [of.sessionId, of.target, segmentId].join('\n');

const isSame = (first: TranslationView['glossary'], second: TranslationView['glossary']): boolean =>
  JSON.stringify(first) === JSON.stringify(second);
