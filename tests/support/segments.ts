import { segmentIdOf, sampleIndex, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { Segment, Word } from '@core/transcript/types.ts';

export const SESSION = 'session-1' as SessionId;
export const MICROPHONE = 'microphone-1' as SourceId;
export const TAB = 'tab-1' as SourceId;

export const words = (text: string): Word[] =>
  text.split(/(?= )/).map((word) => ({ text: word, startMs: null, endMs: null }));

/** A final English segment of the microphone; its id follows from source and start. */
export function segment(startMs: number, text: string, change: Partial<Segment> = {}): Segment {
  const sourceId = change.sourceId ?? MICROPHONE;
  return {
    id: segmentIdOf(sourceId, sampleIndex(startMs * 16)),
    sourceId,
    startMs,
    endMs: startMs + 2_000,
    language: 'en',
    state: 'final',
    committed: words(text),
    tentative: [],
    rev: 1,
    averageLogProbability: null,
    noSpeechProbability: null,
    ...change,
  };
}

export function meeting(change: Partial<Meeting> = {}): Meeting {
  return {
    id: SESSION,
    startedAtMs: new Date(2026, 2, 1, 9, 30).getTime(),
    durationMs: 60_000,
    sources: [{ sourceId: MICROPHONE, kind: 'microphone', offsetMs: 0, name: '' }],
    settings: { recognizer: 'auto', languages: ['en'], chineseScript: 'simplified' },
    preview: '',
    ...change,
  };
}
