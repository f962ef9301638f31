import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import type { Segment } from '@core/transcript/types.ts';
import { OTHER_TAB, Screen, tabState } from '../support/screen.ts';
import { RECORD, screenPage } from '../support/screen-page.ts';
import { meeting, MICROPHONE, segment, words } from '../support/segments.ts';

let screen: Screen;
const { state, inState, items, text, status, listed, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

/** Another tab feeds the session until the returned function is called. */
async function feed(id: SessionId): Promise<() => Promise<void>> {
  const [over, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lock = navigator.locks.request(LOCKS.recording(id), () => {
    held.resolve();
    return over.promise;
  });
  await held.promise;
  return () => {
    over.resolve();
    return lock;
  };
}

describe('the transcript', () => {
  it('shows the documented DOM, tentative words lighter, and says finals only', async () => {
    screen = await Screen.open();
    await startRecording();
    const open = spoken(1_500, 'ask not', {
      state: 'committed',
      language: 'en',
      tentative: words(' what your'),
    });
    say(open);
    const [item] = items();
    expect(item!.dataset).toMatchObject({
      segmentId: open.id,
      startMs: '1500',
      endMs: '3500',
      language: 'en',
      state: 'committed',
    });
    expect(text(item!)).toBe('ask not what your');
    const tentative = item!.querySelector('.tentative')!;
    expect(tentative.textContent).toBe(' what your');
    expect(getComputedStyle(tentative).color).not.toBe(getComputedStyle(item!).color);
    const announced = () => screen.find('[data-role=announcer]').textContent.trim();
    expect(announced()).toBe('');

    say({
      ...open,
      state: 'final',
      rev: 2,
      committed: words('Ask not what your country can do.'),
      tentative: [],
    });
    expect(items()).toEqual([item]);
    expect(item!.dataset.state).toBe('final');
    expect(announced()).toBe('Ask not what your country can do.');
  });

  it('redraws the one item that changed, of 500', async () => {
    screen = await Screen.open();
    await startRecording();
    for (let index = 0; index < 500; index++) say(spoken(index * 3_000, `Sentence number ${index}.`));
    expect(items()).toHaveLength(500);
    const touched = new Set<Node>();
    const observer = new MutationObserver((records) => {
      for (const { target } of records) touched.add(target.parentElement!.closest('li') ?? target);
    });
    observer.observe(screen.find('ol[role=log]'), {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
    const last = items().at(-1)!;
    say(spoken(499 * 3_000, 'Sentence number 499, corrected.', { rev: 2 }));
    await vi.waitFor(() => expect(text(last)).toContain('corrected'));
    for (const { target } of observer.takeRecords())
      touched.add(target.parentElement!.closest('li') ?? target);
    observer.disconnect();
    expect([...touched]).toEqual([last]);
  });

  it('follows the speech until the reader scrolls back, then offers the way back', async () => {
    screen = await Screen.open();
    await startRecording();
    for (let index = 0; index < 60; index++) say(spoken(index * 3_000, `Sentence number ${index}.`));
    const scroller = screen.find('.scroller');
    const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2;
    await vi.waitFor(() => expect(atEnd()).toBe(true));

    scroller.scrollTop = 100;
    const back = await vi.waitFor(() => screen.find('[data-action=back-to-live]'));
    for (let index = 60; index < 70; index++) say(spoken(index * 3_000, `Sentence number ${index}.`));
    await new Promise(requestAnimationFrame);
    expect(scroller.scrollTop).toBe(100);

    back.click();
    await vi.waitFor(() => expect(atEnd()).toBe(true));
    await vi.waitFor(() => expect(screen.all('[data-action=back-to-live]')).toEqual([]));
  });

  it('is there after a reload, as far as it was stored', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Good morning.'));
    say(spoken(4_000, 'Thank you', { state: 'committed', tentative: words(' for') })); // read again: see recovery
    await screen.settled();
    await screen.close();

    screen = await Screen.reopen();
    expect(items().map(text)).toEqual(['Good morning.']);
    expect(items()[0]!.dataset.state).toBe('final');
    expect(state()).toBe('idle');
  });

  it('an earlier meeting can be read while another one is recorded, and deleted in two steps', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'The first meeting.'));
    screen.find(RECORD).click();
    await inState('idle');
    await startRecording();
    say(spoken(0, 'The second meeting.'));

    screen.find('[data-panel=meetings]').click();
    await vi.waitFor(() => expect(screen.all('#panel li[data-session-id]')).toHaveLength(2));
    screen.all('#panel li[data-session-id] .open')[1]!.click();
    await vi.waitFor(() => expect(items().map(text)).toEqual(['The first meeting.']));
    say(spoken(5_000, 'Nothing is lost.'));
    screen.find('[data-action=back-to-recording]').click();
    await vi.waitFor(() => expect(items().map(text)).toEqual(['The second meeting.', 'Nothing is lost.']));

    expect(screen.all('[data-action=delete]')).toHaveLength(1); // not the one being recorded
    screen.find('[data-action=delete]').click();
    (await vi.waitFor(() => screen.find('[data-action=delete-confirmed]'))).click();
    await vi.waitFor(() => expect(screen.all('#panel li[data-session-id]')).toHaveLength(1));
  });

  it('a recording in which nobody spoke leaves no meeting behind', async () => {
    screen = await Screen.open();
    await startRecording();
    screen.find(RECORD).click();
    await inState('idle');
    await vi.waitFor(() => screen.find('[data-action=start]'));
    await screen.app.meetings.refresh();
    expect(screen.app.meetings.list).toEqual([]);
  });
});

describe('a meeting that another tab records', () => {
  let id: SessionId;
  let stopped: () => Promise<void>;
  afterEach(() => stopped());

  /** A page that opens while the other tab has stored one sentence. */
  async function openBeside(): Promise<void> {
    id = crypto.randomUUID() as SessionId;
    stopped = await feed(id);
    const recorded = meeting({ id, preview: 'Good morning.', durationMs: 2_000 });
    await Screen.forget();
    await Screen.stored(async (database) => {
      await database.put('sessions', recorded);
      await database.put('segments', { sessionId: id, segment: segment(0, 'Good morning.') });
    });
    screen = await Screen.reopen();
  }
  const event = (value: Segment) =>
    screen.publish({ type: value.state === 'final' ? 'segment' : 'partial', sessionId: id, segment: value });

  it('is live here: what is stored, then what is said, nothing lost and nothing twice', async () => {
    await openBeside();
    screen.publish({ type: 'session', sessionId: id, tab: OTHER_TAB, state: 'open' });
    // While what is stored is still being read:
    event(segment(0, 'Good morning.'));
    event(segment(4_000, 'How are you?'));
    event(segment(8_000, 'Fine', { state: 'committed', tentative: words(' thank') }));
    await vi.waitFor(() =>
      expect(items().map(text)).toEqual(['Good morning.', 'How are you?', 'Fine thank']),
    );
    event(segment(8_000, 'Fine, thank you.', { rev: 2 }));
    expect(items().map(text).at(-1)).toBe('Fine, thank you.');
    // Everything is in view: there is nothing to go back to.
    await vi.waitFor(() => expect(screen.all('[data-action=back-to-live]')).toEqual([]));
  });

  it('is live also where its beginning was missed', async () => {
    await openBeside();
    event(segment(4_000, 'How are you?'));
    await vi.waitFor(() => expect(items().map(text)).toEqual(['Good morning.', 'How are you?']));
  });

  it('is marked in the list, opens, and cannot be deleted until it is over', async () => {
    await openBeside();
    screen.setTabs(tabState(OTHER_TAB, { recording: [id] }));
    expect(status('activity')).toBe('Another tab is recording');
    screen.find('[data-panel=meetings]').click();
    await vi.waitFor(() => expect(listed(id).dataset.live).toBe('elsewhere'));
    expect(listed(id).textContent).toContain('Live · in another tab');
    expect(screen.all('[data-action=delete]')).toEqual([]);

    listed(id).querySelector<HTMLElement>('.open')!.click();
    event(segment(4_000, 'The end.'));
    await vi.waitFor(() => expect(items().map(text)).toEqual(['Good morning.', 'The end.']));
    await screen.settled();
    screen.setTabs(tabState(OTHER_TAB));
    screen.publish({ type: 'session', sessionId: id, tab: OTHER_TAB, state: 'closed' });
    await stopped();
    await vi.waitFor(() => expect(screen.all('[data-action=delete]')).toHaveLength(1));
    expect(items().map(text)).toEqual(['Good morning.', 'The end.']);
  });

  it('is found by a tab that opens later', async () => {
    await openBeside();
    await screen.close();
    screen = await Screen.reopen('', { sessions: [{ sessionId: id, tab: OTHER_TAB }] });
    await vi.waitFor(() => expect(screen.app.transcripts.isLive(id)).toBe(true));
    event(segment(4_000, 'Still here.'));
    expect(items().map(text)).toEqual(['Good morning.', 'Still here.']);
  });

  it('does not take the screen from what is recorded here', async () => {
    await openBeside();
    await startRecording();
    screen.publish({ type: 'session', sessionId: id, tab: OTHER_TAB, state: 'open' });
    say(spoken(0, 'Mine.'));
    event(segment(4_000, 'Theirs.'));
    await vi.waitFor(() => expect(screen.app.transcripts.isLive(id)).toBe(true));
    expect(items().map(text)).toEqual(['Mine.']);
  });
});

describe('an interrupted recording', () => {
  /** What a tab that died has left behind. */
  async function leaveBehind(): Promise<SessionId> {
    const id = crypto.randomUUID() as SessionId;
    await Screen.forget();
    await Screen.stored(async (database) => {
      await database.put('sessions', meeting({ id, preview: 'Stored.' }));
      await database.put('segments', { sessionId: id, segment: segment(0, 'Stored.') });
      const { settings, sources } = meeting();
      await database.put('recordings', { sessionId: id, tab: OTHER_TAB, settings, sources });
    });
    return id;
  }
  const removeRecording = (id: SessionId) => Screen.stored((database) => database.delete('recordings', id));

  it('is finished by itself at the next start: said, shown, and what is recovered is marked', async () => {
    const id = await leaveBehind();
    screen = await Screen.reopen();
    await vi.waitFor(() => expect(screen.calls).toContain(`recover ${id}`));
    const { handlers, done } = screen.recovery!;
    // How much there is to read is known when an engine is there.
    const notice = await vi.waitFor(() => screen.find('[data-notice=recovering]'));
    expect(notice.textContent).toContain('A recording was interrupted');
    handlers.progress({ sourceId: MICROPHONE, doneMs: 0, totalMs: 42_000 });
    await vi.waitFor(() => expect(notice.textContent).toContain('42 sec'));
    handlers.progress({ sourceId: MICROPHONE, doneMs: 21_000, totalMs: 42_000 });
    await vi.waitFor(() => expect(notice.querySelector('progress')!.value).toBe(21_000));

    await vi.waitFor(() => expect(screen.app.transcripts.isLive(id)).toBe(true));
    const recovered = segment(4_000, 'Brought back.', { recovered: true });
    screen.publish({ type: 'segment', sessionId: id, segment: recovered });
    await vi.waitFor(() => expect(items().map(text)).toEqual(['Stored.', 'Brought back.']));
    expect(items().map(({ dataset }) => dataset.recovered)).toEqual([undefined, 'true']);
    expect(items()[1]!.textContent).toContain('Recovered after an interruption');
    expect(items()[0]!.textContent).not.toContain('Recovered');

    await screen.settled();
    await removeRecording(id);
    done.resolve(true);
    await vi.waitFor(() => expect(screen.all('[data-notice=recovering]')).toEqual([]));
    expect(items().map(text)).toEqual(['Stored.', 'Brought back.']);
    expect(screen.app.transcripts.isLive(id)).toBe(false);
  });

  it('is left alone while its tab lives, and finished when that dies', async () => {
    const id = await leaveBehind();
    const die = await feed(id);
    screen = await Screen.reopen();
    screen.setTabs(tabState(OTHER_TAB, { recording: [id] }));
    await vi.waitFor(async () => {
      const { pending } = await navigator.locks.query();
      expect(pending?.map(({ name }) => name)).toContain(LOCKS.recording(id));
    });
    expect(screen.recovery).toBeNull();

    await die();
    await vi.waitFor(() => expect(screen.calls).toContain(`recover ${id}`));
    await removeRecording(id);
    screen.recovery!.done.resolve(true);
    await vi.waitFor(() => expect(screen.app.meetings.isGrowing(id)).toBe(false));
  });

  it('that cannot be finished is said, and its meeting can be deleted', async () => {
    const id = await leaveBehind();
    screen = await Screen.reopen();
    await vi.waitFor(() => expect(screen.recovery).not.toBeNull());
    screen.find('[data-panel=meetings]').click();
    await vi.waitFor(() => expect(listed(id).dataset.live).toBe('finishing'));
    screen.recovery!.done.reject(new UnisonoError('storage-failed', 'the journal cannot be read'));
    await vi.waitFor(() => screen.find('[data-notice=storage-failed]'));
    expect(screen.all('[data-notice=recovering]')).toEqual([]);
    await vi.waitFor(() => expect(screen.all('[data-action=delete]')).toHaveLength(1));
  });

  it('does not take the screen from who reads something else', async () => {
    const id = await leaveBehind();
    const other = crypto.randomUUID() as SessionId;
    await Screen.stored(async (database) => {
      await database.put('sessions', meeting({ id: other, startedAtMs: 0 }));
      await database.put('segments', { sessionId: other, segment: segment(0, 'Being read.') });
    });
    const die = await feed(id);
    screen = await Screen.reopen();
    await screen.app.meetings.open(other);
    await die();
    await vi.waitFor(() => expect(screen.recovery).not.toBeNull());
    const show = await vi.waitFor(() => screen.find('[data-notice=recovering] [data-action=notice]'));
    await vi.waitFor(() => expect(screen.app.transcripts.isLive(id)).toBe(true));
    expect(items().map(text)).toEqual(['Being read.']);
    show.click();
    await vi.waitFor(() => expect(items().map(text)).toEqual(['Stored.']));
    screen.recovery!.done.resolve(true);
  });
});
