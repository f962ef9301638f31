import { afterEach, expect, test, vi } from 'vitest';
import type { SessionId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { holdLock } from '@core/util/locks.ts';
import { unfinishedRecordings } from '@src/storage/recordings.ts';
import { OTHER_TAB, Screen, tabState } from '../support/screen.ts';

const SESSION = 'session' as SessionId;
let screen: Screen;

afterEach(async () => {
  vi.restoreAllMocks();
  await screen.close();
});

test('the disk is searched for lost recordings when a tab comes or goes, not whenever one is hidden', async () => {
  screen = await Screen.open();
  const reads = vi.spyOn(IDBObjectStore.prototype, 'getAllKeys');
  /** How often until now; the last time is this question itself. */
  const searches = async (): Promise<number> => {
    await unfinishedRecordings(await screen.database);
    const stores = reads.mock.contexts as IDBObjectStore[];
    return stores.filter(({ name }) => name === 'recordings').length - 1;
  };
  const before = await searches();
  screen.setTabs(tabState(OTHER_TAB));
  const opened = await searches();
  expect(opened).toBeGreaterThan(before);
  for (const visible of [false, true, false]) screen.setTabs(tabState(OTHER_TAB, { visible }));
  expect(await searches()).toBe(opened + 1);
  screen.setTabs();
  expect(await searches()).toBe(opened + 3);
});

test('a meeting that another tab begins is joined once its first source is stored, whatever came before', async () => {
  screen = await Screen.open();
  const recording = new AbortController();
  await holdLock(navigator.locks, LOCKS.recording(SESSION), { signal: recording.signal });
  screen.setTabs(tabState(OTHER_TAB, { recording: [SESSION] }));
  await screen.app.meetings.load(SESSION);
  const database = await screen.database;
  await database.put('sessions', {
    id: SESSION,
    startedAtMs: 0,
    durationMs: 0,
    sources: [],
    settings: { recognizer: 'auto', languages: ['en'], chineseScript: 'simplified' },
    preview: '',
  });
  screen.setTabs(tabState(OTHER_TAB, { recording: [SESSION], visible: false }));
  await vi.waitFor(() => expect(screen.app.transcripts.isLive(SESSION)).toBe(true));
  recording.abort();
});
