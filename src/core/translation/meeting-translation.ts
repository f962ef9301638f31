import type { SegmentId, SessionId } from '../protocol/ids.ts';
import { textOf, type Language, type Segment } from '../transcript/types.ts';
import { applicable, glossaryKey } from './glossary.ts';
import type { Sentence, SentenceRequest } from './translate-sentence.ts';
import type { GlossaryEntry, SegmentTranslation, TranslatedUnit, Unit } from './types.ts';
import { unitsOf } from './units.ts';

export interface MeetingTranslationEffects {
  translate(request: SentenceRequest): Promise<Sentence>;
  /** More of a segment is translated. */
  translated(translation: SegmentTranslation): void;
}

/** A segment of which something is not translated yet. */
interface Work {
  readonly segment: Segment;
  /** What can be translated of it now. */
  readonly units: readonly Unit[];
  /** Those that are, with the present glossary. */
  done: readonly TranslatedUnit[];
  /** The language that one of those went through. */
  via: Language | undefined;
}

/** Live: what is said now, in its order. Backlog: what was said before, the newest first. */
type Queue = 'live' | 'backlog';
const PRIORITY = { live: 'translation', backlog: 'background' } as const;

/**
 * Final segments that wait as live ones: about half a minute of talk. What is further behind, because the model comes
 * late or is slow, waits with the backlog, so that a reader can follow what is said now.
 */
const LIVE_LIMIT = 8;

/**
 * One meeting into one language. What is to be translated is kept as state, and of each queue and spoken language one
 * sentence at a time is on its way: a model that is being downloaded keeps no other language waiting. Lives in the engine worker, and in the page where the browser translates.
 */
export class MeetingTranslation {
  readonly glossary: readonly GlossaryEntry[];
  readonly #sessionId: SessionId;
  readonly #target: Language;
  readonly #effects: MeetingTranslationEffects;
  /** Of each segment what was said last. */
  readonly #said: Map<SegmentId, SegmentTranslation>;
  readonly #works = { live: new Map<SegmentId, Work>(), backlog: new Map<SegmentId, Work>() };
  readonly #running = { live: new Set<Language>(), backlog: new Set<Language>() };
  /** Spoken languages from which no model leads to the target at the moment. */
  readonly #held = new Set<Language>();
  readonly #languages = new Set<Language>();
  readonly #end = new AbortController();

  /** @param before whose place it takes, because the glossary has changed: its lines stay until they are replaced */
  constructor(
    { sessionId, target }: Pick<SegmentTranslation, 'sessionId' | 'target'>,
    glossary: readonly GlossaryEntry[],
    effects: MeetingTranslationEffects,
    before?: MeetingTranslation,
  ) {
    this.#sessionId = sessionId;
    this.#target = target;
    this.glossary = glossary;
    this.#effects = effects;
    this.#said = new Map(before ? before.#said : []);
  }

  /** Languages it has been translating from. */
  get languages(): ReadonlySet<Language> {
    return this.#languages;
  }

  /** Languages whose sentences wait for a model. */
  get held(): ReadonlySet<Language> {
    return this.#held;
  }

  /**
   * What an earlier engine, or a view before this one, has stored.
   *
   * @param heard what is being said, in its order: it comes first
   */
  load(
    segments: readonly Segment[],
    translations: readonly SegmentTranslation[],
    heard: readonly Segment[] = [],
  ): void {
    for (const translation of translations) {
      const { segmentId } = translation;
      if (!this.#said.has(segmentId)) this.#said.set(segmentId, translation);
    }
    for (const segment of heard) this.hear(segment);
    for (const segment of segments) {
      if (!this.#works.live.has(segment.id)) this.#take(segment, 'backlog');
    }
    this.#wakeAll();
  }

  /** A new version of a segment. */
  hear(segment: Segment): void {
    const known = this.#said.get(segment.id);
    // Read again by another engine: the lines there are stay until its words are final.
    if (known?.complete && segment.state !== 'final') return;
    const { live, backlog } = this.#works;
    backlog.delete(segment.id);
    this.#take(segment, 'live');
    const waiting = [...live].filter(([, work]) => work.segment.state === 'final');
    for (const [id, work] of waiting.slice(0, -LIVE_LIMIT)) {
      live.delete(id);
      backlog.set(id, work);
    }
    if (segment.language) this.#wake('live', segment.language);
  }

  /** It held no words after all. */
  drop(segmentId: SegmentId): void {
    this.#forget(segmentId);
    this.#said.delete(segmentId);
  }

  /** A model has come: what waits is tried again. */
  retry(): void {
    this.#held.clear();
    this.#wakeAll();
  }

  /** Nobody reads it any more. */
  close(): void {
    this.#end.abort();
  }

  #take(segment: Segment, queue: Queue): void {
    const { id, language, committed, state } = segment;
    if (this.#end.signal.aborted) return;
    if (language === null || language === this.#target) {
      this.#forget(id);
      return;
    }
    this.#languages.add(language);
    const before = this.#works[queue].get(id);
    const said = this.#said.get(id);
    const units = unitsOf(committed, language, before?.units ?? said?.units ?? [], state === 'final');
    const key = said ? this.#key(segment) : null;
    const known = before ?? (said?.glossary === key ? { done: said.units, via: said.via } : null);
    const done = units.flatMap((unit) => find(known?.done ?? [], unit) ?? []);
    const work: Work = { segment, units, done, via: done.length > 0 ? known?.via : undefined };
    this.#works[queue].set(id, work);
    if (units.length === done.length) this.#settle(work);
  }

  #wakeAll(): void {
    // Where nothing is said live, the backlog follows.
    for (const from of this.#languages) this.#wake('live', from);
  }

  #wake(queue: Queue, from: Language): void {
    if (!this.#running[queue].has(from)) void this.#run(queue, from);
  }

  /** A sentence of the backlog would run in the moment between two live ones. */
  #mayRun(queue: Queue, from: Language): boolean {
    if (this.#end.signal.aborted || this.#held.has(from)) return false;
    return queue === 'live' || !this.#running.live.has(from);
  }

  /** Never rejects. */
  async #run(queue: Queue, from: Language): Promise<void> {
    const { signal } = this.#end;
    this.#running[queue].add(from);
    while (this.#mayRun(queue, from)) {
      const next = this.#next(queue, from);
      if (!next) break;
      const { unit, segment } = next;
      try {
        const sentence = await this.#effects.translate({
          session: this.#sessionId,
          priority: PRIORITY[queue],
          text: unit.text,
          from,
          to: this.#target,
          glossary: this.glossary,
          signal,
        });
        this.#accept(segment.id, unit, sentence);
      } catch {
        // The model tells why by its status.
        this.#held.add(from);
      }
    }
    this.#running[queue].delete(from);
    if (queue === 'live') this.#wake('backlog', from);
  }

  #next(queue: Queue, from: Language): { segment: Segment; unit: Unit } | null {
    const works = [...this.#works[queue].values()].filter(({ segment }) => segment.language === from);
    if (queue === 'backlog') works.sort((first, second) => second.segment.startMs - first.segment.startMs);
    for (const { segment, units, done } of works) {
      const unit = units.find((one) => !find(done, one));
      if (unit) return { segment, unit };
    }
    return null;
  }

  #accept(id: SegmentId, { from, to, text }: Unit, { translation, flaw, via }: Sentence): void {
    const work = this.#works.live.get(id) ?? this.#works.backlog.get(id);
    const unit = work && find(work.units, { from, to, text });
    // Else the words have changed meanwhile, or it was asked for by both queues.
    if (!work || !unit || find(work.done, unit) || this.#end.signal.aborted) return;
    work.done = [...work.done, { ...unit, translation, ...(flaw && { flaw }) }];
    work.via ??= via;
    this.#settle(work);
  }

  /** Says what is translated of the segment, if that is more than before. */
  #settle({ segment, units, done, via }: Work): void {
    const { id, state } = segment;
    const before = this.#said.get(id);
    const complete = state === 'final' && done.length === units.length;
    if (complete) this.#forget(id);
    // Lines of another glossary stay until they are replaced.
    const shown = units.flatMap((unit) => find(done, unit) ?? find(before?.units ?? [], unit) ?? []);
    const fresh = shown.length === done.length;
    const through = via ?? (fresh ? undefined : before?.via);
    const translation: SegmentTranslation = {
      sessionId: this.#sessionId,
      segmentId: id,
      target: this.#target,
      units: shown,
      complete,
      ...(through && { via: through }),
      glossary: fresh ? this.#key(segment) : (before?.glossary ?? ''),
    };
    if (shown.length === 0 || (before && isSame(before, translation))) return;
    this.#said.set(id, translation);
    this.#effects.translated(translation);
  }

  #forget(id: SegmentId): void {
    this.#works.live.delete(id);
    this.#works.backlog.delete(id);
  }

  #key({ language, committed }: Segment): string {
    return language ? glossaryKey(applicable(this.glossary, textOf(committed), language, this.#target)) : '';
  }
}

const find = <One extends Unit>(units: readonly One[], { from, to, text }: Unit): One | undefined =>
  units.find((unit) => unit.from === from && unit.to === to && unit.text === text);

const isSame = (first: SegmentTranslation, second: SegmentTranslation): boolean =>
  JSON.stringify(first) === JSON.stringify(second);
