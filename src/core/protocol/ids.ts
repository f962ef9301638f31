declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** One meeting, from the press on record to stop. */
export type SessionId = Brand<string, 'SessionId'>;

/** One captured source of a session: the microphone, a shared tab, a file. */
export type SourceId = Brand<string, 'SourceId'>;

/**
 * One utterance of one source. Derived from source and start sample, so that the same audio
 * decoded twice gives the same id and the reducer can replace instead of repeat.
 */
export type SegmentId = Brand<string, 'SegmentId'>;

/** A speaker of one meeting, counted from 1 in the order of appearance; never given to anybody else. */
export type SpeakerId = Brand<number, 'SpeakerId'>;

/** One page of the app, from load to unload. */
export type TabId = Brand<string, 'TabId'>;

/**
 * Which engine, counted from 1 on this device: each owner takes the next number. What a lower epoch says or
 * writes is void.
 */
export type Epoch = Brand<number, 'Epoch'>;

/** Index on a source's own 16 kHz sample clock; 0 is the first sample captured. Silence counts. */
export type SampleIndex = Brand<number, 'SampleIndex'>;

export const sampleIndex = (value: number): SampleIndex => value as SampleIndex;

export const speakerId = (value: number): SpeakerId => value as SpeakerId;

export const segmentIdOf = (source: SourceId, start: SampleIndex): SegmentId =>
  `${source}-${start}` as SegmentId;

export const newSessionId = (): SessionId => crypto.randomUUID() as SessionId;
export const newTabId = (): TabId => crypto.randomUUID() as TabId;
