import { createStore, del, get, set, type UseStore } from 'idb-keyval';
import type { ModelId, SelfTestResult } from '@core/protocol/engine.ts';
import type { Candidate } from './ladder.ts';

/** A candidate and how it did. */
export interface TestedCandidate {
  readonly candidate: Candidate;
  readonly result: SelfTestResult;
}

/** What the self-tests of one model showed on this device. */
export interface SelfTestRecord {
  /** Browser, app, ONNX Runtime and device they were made with; others make them worthless. */
  readonly fingerprint: string;
  readonly tested: readonly TestedCandidate[];
}

/** Remembers self-tests over reloads. Losing them costs only time. */
export interface SelfTestMemory {
  read(model: ModelId): Promise<SelfTestRecord | undefined>;
  write(model: ModelId, record: SelfTestRecord): Promise<void>;
  forget(model: ModelId): Promise<void>;
}

/** In IndexedDB, in a database of its own. */
export function idbSelfTestMemory(): SelfTestMemory {
  let store: UseStore | undefined;
  const open = (): UseStore => (store ??= createStore('unisono-self-tests', 'results'));
  return {
    read: (model) => get<SelfTestRecord>(model, open()),
    write: (model, record) => set(model, record, open()),
    forget: (model) => del(model, open()),
  };
}
