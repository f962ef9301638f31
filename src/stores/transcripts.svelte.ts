import { SvelteMap } from 'svelte/reactivity';
import type { EngineEvent } from '@core/protocol/engine.ts';
import type { SegmentId, SessionId } from '@core/protocol/ids.ts';
import type { Meeting, MeetingSource, MeetingTranscript } from '@core/transcript/meeting.ts';
import { emptyTranscript, reduce, type FoldedTranscript } from '@core/transcript/reduce.ts';
import { textOf, type Segment } from '@core/transcript/types.ts';
import type { TranscriptChange } from '@src/storage/transcript-writer.ts';

const PREVIEW_CHARACTERS = 120;

interface Entry {
  readonly meeting: Meeting;
  readonly transcript: FoldedTranscript;
}

/**
 * The transcripts of the sessions that still receive events, and the one on the screen. A meeting that is
 * only read does not disturb the one being recorded: both keep growing and both are stored.
 */
export class TranscriptsStore {
  readonly #write: (change: TranscriptChange) => void;
  readonly #live = new SvelteMap<SessionId, Entry>();
  #shown = $state.raw<Entry | null>(null);
  #latestFinal = $state.raw<Segment | null>(null);

  constructor(write: (change: TranscriptChange) => void) {
    this.#write = write;
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

  begin(meeting: Meeting): void {
    this.#live.set(meeting.id, { meeting, transcript: emptyTranscript(meeting.id) });
    this.show(meeting.id);
  }

  addSource(id: SessionId, source: MeetingSource): void {
    const entry = this.#live.get(id);
    if (!entry) return;
    const meeting = { ...entry.meeting, sources: [...entry.meeting.sources, source] };
    this.#update({ ...entry, meeting });
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
    this.#shown = { meeting, transcript: emptyTranscript(meeting.id, segments) };
    this.#latestFinal = null;
  }

  /** Empties the screen if it shows this meeting. */
  hide(id: SessionId): void {
    if (this.#shown?.meeting.id === id) this.#shown = null;
  }

  isLive(id: SessionId): boolean {
    return this.#live.has(id);
  }

  /** No more events come. Returns the meeting as it ended, null for an unknown one. */
  end(id: SessionId): MeetingTranscript | null {
    const entry = this.#live.get(id);
    this.#live.delete(id);
    return entry ? { meeting: entry.meeting, segments: entry.transcript.segments } : null;
  }

  apply(event: EngineEvent): void {
    if (event.type !== 'partial' && event.type !== 'segment' && event.type !== 'segment-dropped') return;
    const entry = this.#live.get(event.sessionId);
    if (!entry) return;
    const transcript = reduce(entry.transcript, event);
    if (transcript === entry.transcript) return;

    const id = event.type === 'segment-dropped' ? event.segmentId : event.segment.id;
    const meeting = describe(entry.meeting, transcript);
    this.#update({ meeting, transcript });
    const after = find(transcript, id);
    if (after?.state === 'final' && this.#shown?.meeting.id === meeting.id) this.#latestFinal = after;
    this.#store(meeting, id, find(entry.transcript, id), after);
  }

  /** Stores what cannot change any more, and takes back what was stored and is gone. */
  #store(
    meeting: Meeting,
    segmentId: SegmentId,
    before: Segment | undefined,
    after: Segment | undefined,
  ): void {
    const stored = before?.committed.length ?? 0;
    if (!after) {
      if (stored > 0) this.#write({ meeting, segmentId, segment: null });
    } else if (after.state === 'final' || after.committed.length > stored) {
      this.#write({ meeting, segmentId, segment: after });
    }
  }

  #update(entry: Entry): void {
    this.#live.set(entry.meeting.id, entry);
    if (this.#shown?.meeting.id === entry.meeting.id) this.#shown = entry;
  }
}

const find = ({ segments }: FoldedTranscript, id: SegmentId): Segment | undefined =>
  segments.findLast((segment) => segment.id === id);

/** The meeting with what its words tell of it. The same object when they tell nothing new. */
function describe(meeting: Meeting, { segments }: FoldedTranscript): Meeting {
  const durationMs = segments.reduce((latest, { endMs }) => Math.max(latest, endMs), 0);
  const first = segments[0];
  const preview = first ? textOf([...first.committed, ...first.tentative]).slice(0, PREVIEW_CHARACTERS) : '';
  const same = durationMs === meeting.durationMs && preview === meeting.preview;
  return same ? meeting : { ...meeting, durationMs, preview };
}
