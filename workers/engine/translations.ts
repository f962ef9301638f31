import type { EngineEvent, TranslationEvent } from '@core/protocol/engine.ts';
import { toUnisonoError, type UnisonoError } from '@core/protocol/errors.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Language, Segment } from '@core/transcript/types.ts';
import type { Direction } from '@core/translation/directions.ts';
import { MeetingTranslation } from '@core/translation/meeting-translation.ts';
import type { Sentence, SentenceRequest } from '@core/translation/translate-sentence.ts';
import type { SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import { asComplete } from '@src/storage/meetings.ts';
import type { EngineClient } from './client.ts';
import type { EngineStore } from './engine-store.ts';

export interface TranslationsEffects {
  readonly store: Pick<EngineStore, 'segments' | 'translations' | 'putTranslation'>;
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
  meeting: MeetingTranslation;
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
  readonly #unsaved = new Map<string, SegmentTranslation>();
  #saving = false;
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
      for (const { meeting } of this.#of(sessionId)) meeting.hear(segment);
    } else if (event.type === 'segment-dropped') {
      const { sessionId, segmentId } = event;
      this.#live.get(sessionId)?.delete(segmentId);
      for (const { meeting, target } of this.#of(sessionId)) {
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

  /** Nothing more comes of any view. */
  close(): void {
    this.#closed = true;
    for (const { meeting } of this.#readings.values()) meeting.close();
    this.#readings.clear();
    this.#unsaved.clear();
  }

  #of(sessionId: SessionId): readonly Reading[] {
    return [...this.#readings.values()].filter((reading) => reading.sessionId === sessionId);
  }

  #begin(
    { sessionId, target, glossary }: TranslationView,
    known: Reading | null,
    client: EngineClient,
  ): void {
    const effects = {
      translate: (request: SentenceRequest) => this.#effects.translate(request),
      translated: (translation: SegmentTranslation) => this.#say(translation),
    };
    known?.meeting.close();
    const meeting = new MeetingTranslation({ sessionId, target }, glossary, effects, known?.meeting);
    if (known) known.meeting = meeting;
    else
      this.#readings.set(keyOf({ sessionId, target }), {
        sessionId,
        target,
        clients: new Set([client]),
        meeting,
      });
    for (const segment of this.#live.get(sessionId)?.values() ?? []) meeting.hear(segment);
    void this.#load(meeting, sessionId, target);
  }

  async #load(meeting: MeetingTranslation, sessionId: SessionId, target: Language): Promise<void> {
    try {
      const [segments, translations] = await Promise.all([
        this.#effects.store.segments(sessionId),
        this.#effects.store.translations(sessionId, target),
      ]);
      // What is being said is heard from the session.
      const spoken = segments.filter(({ state }) => state === 'final' || !this.#live.has(sessionId));
      meeting.load(spoken.map(asComplete), translations);
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  async #askAnew({ meeting, target }: Reading): Promise<void> {
    await Promise.all([...meeting.held].map((from) => this.#effects.askAnew({ from, to: target })));
    meeting.retry();
  }

  #say(translation: SegmentTranslation): void {
    this.#effects.publish({ type: 'translation', sessionId: translation.sessionId, translation });
    this.#unsaved.set(keyOf(translation, translation.segmentId), translation);
    if (!this.#saving) void this.#save();
  }

  /** One after another, of each segment the newest. What cannot be stored is shown all the same. Never rejects. */
  async #save(): Promise<void> {
    this.#saving = true;
    for (const [key, translation] of this.#unsaved) {
      this.#unsaved.delete(key);
      try {
        await this.#effects.store.putTranslation(translation);
        this.#failing = false;
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
    this.#saving = false;
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
