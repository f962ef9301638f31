import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { EngineEvent, PartialEvent, SegmentDroppedEvent, SegmentEvent } from '@core/protocol/engine.ts';
import type { SegmentId, SessionId, TabId } from '@core/protocol/ids.ts';
import {
  previewOf,
  type Meeting,
  type MeetingSource,
  type MeetingTranscript,
} from '@core/transcript/meeting.ts';
import { emptyTranscript, reduce, type FoldedTranscript } from '@core/transcript/reduce.ts';
import type { Segment } from '@core/transcript/types.ts';
import { asComplete } from '@src/storage/meetings.ts';

/** Late events of meetings that are over are few and come soon: no more of them need be remembered. */
const MAX_OVER = 50;

type TranscriptEvent = PartialEvent | SegmentEvent | SegmentDroppedEvent;

interface Entry {
  readonly meeting: Meeting;
  readonly transcript: FoldedTranscript;
}

/** A meeting of another thread that is being joined: what comes until its stored words are read waits here. */
interface Joining {
  readonly events: TranscriptEvent[];
  reading: boolean;
}

/**
 * The transcripts of all sessions that still receive events, recorded here or in another tab, and the one on the screen.
 * A meeting that is only read does not disturb the others: they keep growing. Storing is the engine's.
 */
export class TranscriptsStore {
  readonly #load: (id: SessionId) => Promise<MeetingTranscript | null>;
  readonly #live = new SvelteMap<SessionId, Entry>();
  readonly #joining = new SvelteMap<SessionId, Joining>();
  /** Which tab fed a session when it was last said: another one has recovered it, and stored words may be gone. */
  readonly #fedBy = new SvelteMap<SessionId, TabId>();
  readonly #over = new SvelteSet<SessionId>();
  #shown = $state.raw<Entry | null>(null);
  #latestFinal = $state.raw<Segment | null>(null);

  /** @param load reads what is stored of a meeting; null while nothing is; never rejects */
  constructor(load: (id: SessionId) => Promise<MeetingTranscript | null>) {
    this.#load = load;
  }

  /** The meeting on the screen with its words so far, or null. */
  get shown(): MeetingTranscript | null {
    return this.#shown && { meeting: this.#shown.meeting, segments: this.#shown.transcript.segments };
  }

  get segments(): readonly Segment[] {
    return this.#shown?.transcript.segments ?? [];
  }

  /** The segment that became final last in the meeting on the screen: what a screen reader says. */
  get latestFinal(): Segment | null {
    return this.#latestFinal;
  }

  /** The meetings that still grow. */
  get live(): readonly Meeting[] {
    return [...this.#live.values()].map(({ meeting }) => meeting);
  }

  isLive(id: SessionId): boolean {
    return this.#live.has(id);
  }

  /** The session was live here and has ended. */
  isOver(id: SessionId): boolean {
    return this.#over.has(id);
  }

  /** A recording of this tab. What came of it before goes in at once. */
  begin(meeting: Meeting): void {
    const early = this.#joining.get(meeting.id)?.events ?? [];
    this.#joining.delete(meeting.id);
    this.#live.set(meeting.id, { meeting, transcript: emptyTranscript(meeting.id) });
    this.show(meeting.id);
    for (const event of early) this.apply(event);
  }

  /** @returns the meeting with the source, or null for an unknown one */
  addSource(id: SessionId, source: MeetingSource): Meeting | null {
    const entry = this.#live.get(id);
    if (!entry) return null;
    const meeting = { ...entry.meeting, sources: [...entry.meeting.sources, source] };
    this.#update({ ...entry, meeting });
    return meeting;
  }

  /**
   * Goes on with a session that is fed elsewhere: what is stored of it, then what has come since. Nothing is lost between
   * the two, and a segment that is in both is there once. A session that another tab has taken over is read anew.
   */
  async join(id: SessionId, tab: TabId | null = null): Promise<void> {
    const before = this.#fedBy.get(id);
    if (tab) this.#fedBy.set(id, tab);
    this.#over.delete(id);
    const moved = tab !== null && before !== undefined && before !== tab;
    if (this.#live.has(id) && !moved) return;
    if (moved || !this.#joining.has(id)) this.#joining.set(id, { events: [], reading: false });
    await this.#read(id);
  }

  /** Shows a session that is still live. False when it is not. */
  show(id: SessionId): boolean {
    const entry = this.#live.get(id);
    if (!entry) return false;
    this.#shown = entry;
    this.#latestFinal = null;
    return true;
  }

  /** Shows a stored meeting. */
  open({ meeting, segments }: MeetingTranscript): void {
    if (this.show(meeting.id)) return;
    this.#shown = { meeting, transcript: emptyTranscript(meeting.id, segments.map(asComplete)) };
    this.#latestFinal = null;
  }

  /** Empties the screen if it shows this meeting. */
  hide(id: SessionId): void {
    if (this.#shown?.meeting.id === id) this.#shown = null;
  }

  /** No more events come. Returns the meeting as it ended, null for an unknown one. */
  end(id: SessionId): MeetingTranscript | null {
    const entry = this.#live.get(id);
    this.#live.delete(id);
    this.#joining.delete(id);
    this.#fedBy.delete(id);
    this.#over.add(id);
    const [oldest] = this.#over;
    if (oldest && this.#over.size > MAX_OVER) this.#over.delete(oldest);
    return entry ? { meeting: entry.meeting, segments: entry.transcript.segments } : null;
  }

  apply(event: EngineEvent): void {
    if (event.type !== 'partial' && event.type !== 'segment' && event.type !== 'segment-dropped') return;
    const { sessionId } = event;
    if (this.#over.has(sessionId)) return;
    const entry = this.#live.get(sessionId);
    if (!entry && !this.#joining.has(sessionId)) this.#joining.set(sessionId, { events: [], reading: false });
    const joining = this.#joining.get(sessionId);
    if (joining) {
      joining.events.push(event);
      void this.#read(sessionId);
    } else if (entry) this.#fold(entry, event);
  }

  #fold(entry: Entry, event: TranscriptEvent): void {
    const transcript = reduce(entry.transcript, event);
    if (transcript === entry.transcript) return;
    const meeting = describe(entry.meeting, transcript);
    this.#update({ meeting, transcript });
    if (event.type !== 'segment-dropped' && !knows(meeting, event.segment))
      void this.#readSources(meeting.id);
    if (event.type !== 'segment' || this.#shown?.meeting.id !== meeting.id) return;
    const after = find(transcript, event.segment.id);
    if (after?.state === 'final') this.#latestFinal = after;
  }

  /** The recording tab writes the meeting with its first source: until then there is nothing to read. */
  async #read(id: SessionId): Promise<void> {
    const joining = this.#joining.get(id);
    if (!joining || joining.reading) return;
    joining.reading = true;
    const stored = await this.#load(id);
    joining.reading = false;
    if (!stored || this.#joining.get(id) !== joining) return;
    this.#joining.delete(id);
    this.#update({ meeting: stored.meeting, transcript: emptyTranscript(id, stored.segments) });
    for (const event of joining.events) this.apply(event);
  }

  /** The tab that records has added a source. */
  async #readSources(id: SessionId): Promise<void> {
    const stored = await this.#load(id);
    const entry = this.#live.get(id);
    if (!stored || !entry || stored.meeting.sources.length <= entry.meeting.sources.length) return;
    this.#update({ ...entry, meeting: { ...entry.meeting, sources: stored.meeting.sources } });
  }

  #update(entry: Entry): void {
    this.#live.set(entry.meeting.id, entry);
    if (this.#shown?.meeting.id === entry.meeting.id) this.#shown = entry;
  }
}

const find = ({ segments }: FoldedTranscript, id: SegmentId): Segment | undefined =>
  segments.findLast((segment) => segment.id === id);

const knows = ({ sources }: Meeting, { sourceId }: Segment): boolean =>
  sources.some((source) => source.sourceId === sourceId);

/** The meeting with what its words tell of it. The same object when they tell nothing new. */
function describe(meeting: Meeting, { segments }: FoldedTranscript): Meeting {
  const durationMs = segments.reduce((latest, { endMs }) => Math.max(latest, endMs), 0);
  const first = segments[0];
  const preview = first ? previewOf(first) : '';
  const same = durationMs === meeting.durationMs && preview === meeting.preview;
  return same ? meeting : { ...meeting, durationMs, preview };
}
