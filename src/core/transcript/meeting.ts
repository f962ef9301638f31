import type { RecognitionSettings, SourceDescription } from '../protocol/engine.ts';
import type { SessionId } from '../protocol/ids.ts';
import { textOf, type Segment } from './types.ts';

export interface MeetingSource extends SourceDescription {
  /** What the device, tab or file calls itself; empty when it has no name worth showing. */
  readonly name: string;
}

/** What is known of a meeting besides its words. */
export interface Meeting {
  readonly id: SessionId;
  /** Wall clock at the press on record, ms since 1970. */
  readonly startedAtMs: number;
  /** End of the last segment on the session's clock, ms. */
  readonly durationMs: number;
  readonly sources: readonly MeetingSource[];
  readonly settings: RecognitionSettings;
  /** How the first segment begins, for lists of meetings. */
  readonly preview: string;
}

/** A meeting with its segments, in the order of their start. */
export interface MeetingTranscript {
  readonly meeting: Meeting;
  readonly segments: readonly Segment[];
}

/** Enough for a line in the list of meetings. */
const PREVIEW_CHARACTERS = 120;

/** A meeting's `preview`, of its first segment. */
export const previewOf = ({ committed, tentative }: Segment): string =>
  textOf([...committed, ...tentative]).slice(0, PREVIEW_CHARACTERS);
