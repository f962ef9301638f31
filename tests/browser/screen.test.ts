import { flushSync } from 'svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { HealthEntry } from '@core/protocol/engine.ts';
import { toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SessionId, SourceId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import type { Segment } from '@core/transcript/types.ts';
import { OTHER_TAB, ownerOf, Screen, tabState, THIS_TAB } from '../support/screen.ts';
import { meeting, MICROPHONE, segment, words } from '../support/segments.ts';

let screen: Screen;
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

const RECORD = '[data-action=record]';
const state = () => screen.find('[data-recorder]').dataset.recorder;
const inState = (wanted: string) => vi.waitFor(() => expect(state()).toBe(wanted));
const items = () => screen.all('ol[role=log] > li[data-segment-id]');
const text = (item: HTMLElement) => item.querySelector('[data-role=original]')?.textContent;

const status = (name: string) => screen.find(`[data-status=${name}]`).textContent.trim();
const listed = (id: SessionId) => screen.find(`#panel li[data-session-id="${id}"]`);

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

const entry: HealthEntry = {
  atMs: 0,
  level: 'info',
  scope: 'engine',
  code: 'any',
  message: 'The engine worker could not be fetched.',
};

async function startRecording(): Promise<void> {
  screen.find(RECORD).click();
  await inState('recording');
}

/** What the engine says of an utterance of the session that is being recorded. */
function say(value: Segment): void {
  const sessionId = screen.app.recorder.sessionId!;
  screen.publish({ type: value.state === 'final' ? 'segment' : 'partial', sessionId, segment: value });
}

const spoken = (startMs: number, text: string, change: Partial<Segment> = {}) =>
  segment(startMs, text, { sourceId: screen.app.sources.list[0]?.sourceId ?? ('m' as SourceId), ...change });

describe('recording', () => {
  it('starts, pauses and stops by R and Space, but not while typing in a field', async () => {
    screen = await Screen.open();
    await userEvent.keyboard('r');
    await inState('recording');
    await userEvent.keyboard(' ');
    await inState('paused');
    await userEvent.keyboard(' ');
    await inState('recording');
    await userEvent.keyboard('R');
    await inState('idle');
    expect(screen.calls.filter((call) => !/^(prepare|recording)/.test(call))).toEqual([
      'open auto en,es,fr,zh',
      'add microphone',
      'pause',
      'resume',
      'stop',
      'finish',
    ]);

    screen.find('[data-panel=settings]').click();
    const field = await vi.waitFor(() => screen.find('[data-control=interface-language]'));
    field.focus();
    await userEvent.keyboard('r');
    expect(state()).toBe('idle');
  });

  it('a click on record leaves Space free to pause', async () => {
    screen = await Screen.open();
    await userEvent.click(screen.find(RECORD));
    await inState('recording');
    await userEvent.keyboard(' ');
    await inState('paused');
    expect(state()).toBe('paused');
  });

  it('a refused microphone is explained, keeps nothing half-open, and can be tried again', async () => {
    screen = await Screen.open();
    screen.refuse = new UnisonoError('microphone-denied', 'denied');
    screen.find(RECORD).click();
    await vi.waitFor(() => screen.find('[data-notice=microphone-denied] [role=alert]'));
    await inState('idle');
    expect(screen.calls).toContain('finish');

    screen.refuse = null;
    screen.find('[data-notice=microphone-denied] [data-action=notice]').click();
    await inState('recording');
    expect(screen.all('[data-notice]')).toEqual([]);
  });

  it('an unplugged microphone leaves the words and the recording, and is added again on request', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Kept words.'));
    const { sourceId } = screen.app.sources.list[0]!;
    screen.handlers.sourceEnded({ sourceId, error: new UnisonoError('microphone-unplugged', 'gone') });
    const again = await vi.waitFor(() =>
      screen.find('[data-notice=microphone-unplugged] [data-action=notice]'),
    );
    expect(state()).toBe('recording');
    expect(items().map(text)).toEqual(['Kept words.']);
    again.click();
    await vi.waitFor(() => expect(screen.all('[data-notice]')).toEqual([]));
    await vi.waitFor(() => expect(screen.app.sources.list).toHaveLength(1));
    expect(screen.app.sources.list[0]!.sourceId).not.toBe(sourceId);
  });

  it('a file is a recording of its own that ends when it has been read', async () => {
    screen = await Screen.open();
    const input = screen.find('input[data-control=file]');
    await userEvent.upload(input, [new File(['x'], 'talk.mp3'), new File(['y'], 'second.wav')]);
    await inState('recording');
    expect(screen.find('[data-kind=file]').textContent).toContain('talk.mp3');
    const first = screen.app.sources.list[0]!.sourceId;
    screen.handlers.progress({ sourceId: first, doneMs: 30_000, totalMs: 120_000 });
    await vi.waitFor(() =>
      expect(screen.find('[data-kind=file] progress').getAttribute('value')).toBe('0.25'),
    );
    screen.handlers.sourceEnded({ sourceId: first, error: null });
    await vi.waitFor(() => expect(screen.app.sources.list[0]?.name).toBe('second.wav'));
    screen.find('[data-action=remove-source]').click();
    await inState('idle');
    expect(screen.calls.filter((call) => call === 'finish')).toHaveLength(2);
  });

  it('other languages hold for the running recording at once', async () => {
    screen = await Screen.open();
    await startRecording();
    for (const language of ['en', 'es', 'fr']) screen.find(`input[type=checkbox][value=${language}]`).click();
    await vi.waitFor(() => expect(screen.calls).toContain('update auto zh'));
    await vi.waitFor(() => expect(screen.find('input[value=zh]').matches(':disabled')).toBe(true));
    expect(screen.find('[data-control=languages]').textContent).toContain('中文');
  });

  it('the meter shows the sound as it comes in, and falls back in silence', async () => {
    screen = await Screen.open();
    await startRecording();
    const { sourceId } = screen.app.sources.list[0]!;
    const afterLevel = (rms: number) => {
      screen.handlers.level({ sourceId, rms, peak: rms, speech: rms > 0 });
      flushSync();
      return Number(screen.find('[role=meter]').ariaValueNow);
    };
    expect(afterLevel(0)).toBe(0);
    expect(afterLevel(0.2)).toBeGreaterThan(80);
    const silence = Array.from({ length: 30 }, () => afterLevel(0));
    expect(silence).toEqual(silence.toSorted((a, b) => b - a));
    expect(silence.at(-1)).toBe(0);
  });
});

describe('links', () => {
  it('start with what they name', async () => {
    screen = await Screen.open('?action=record&source=mic&language=fr&asr=moonshine-tiny');
    await inState('recording');
    expect(screen.calls).toContain('open moonshine-tiny fr');
    expect(screen.calls).toContain('add microphone');
  });

  it('for a tab show one button, because the browser wants a press', async () => {
    screen = await Screen.open('?action=record&source=both');
    expect(state()).toBe('idle');
    screen.find('[data-notice=record-requested] [data-action=notice]').click();
    await inState('recording');
    expect(screen.calls.filter((call) => call.startsWith('add'))).toEqual(['add tab', 'add microphone']);
  });

  it('with unknown values start nothing and say what is allowed', async () => {
    screen = await Screen.open('?action=record&language=de');
    const notice = await vi.waitFor(() => screen.find('[data-notice=link-invalid]'));
    expect(notice.textContent).toContain('de');
    expect(notice.textContent).toContain('auto, en, es, fr, zh');
    expect(state()).toBe('idle');
  });
});

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

describe('status', () => {
  it('says which model runs where, and how far behind it is', async () => {
    screen = await Screen.open();
    await startRecording();
    screen.publish({
      type: 'model',
      status: {
        model: 'whisper-tiny',
        state: 'ready',
        rung: 'wasm',
        progress: null,
        selfTest: [],
        error: null,
      },
    });
    expect(status('model')).toBe('Whisper tiny · on your processor');
    expect(status('activity')).toBe('Live');
    const sessionId = screen.app.recorder.sessionId!;
    screen.publish({ type: 'lag', sessionId, lagMs: 4_200, waitingUtterances: 2 });
    expect(status('activity')).toBe('Catching up: 4 sec behind');
    screen.app.privacy.bytesSent = 1_500_000;
    await vi.waitFor(() => expect(status('bytes-sent')).toBe('1.5 MB sent'));
  });

  it('changes its language without losing the recording', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Still here.'));
    screen.app.locale.set('es');
    await vi.waitFor(() => expect(screen.find(RECORD).ariaLabel).toBe('Detener'));
    expect(document.documentElement.lang).toBe('es');
    expect(items().map(text)).toEqual(['Still here.']);
    expect(state()).toBe('recording');
    screen.app.locale.set('en');
  });
});

describe('without an engine', () => {
  const noEngine = { owner: null } as const;

  it('records at once, and says how much waits until it comes', async () => {
    screen = await Screen.open('', noEngine);
    await startRecording();
    expect(screen.calls).toContain('add microphone');
    screen.handlers.backlog({ speechMs: 12_300, attached: false });
    await vi.waitFor(() =>
      expect(status('activity')).toBe(
        'The engine is starting: your words are kept and will appear (12 sec waiting)',
      ),
    );
    screen.setOwner(ownerOf(THIS_TAB));
    screen.handlers.backlog({ speechMs: 12_300, attached: true });
    await vi.waitFor(() => expect(status('activity')).toBe('Live'));
  });

  it('a stopped recording waits in the background, and its meeting cannot be deleted before', async () => {
    screen = await Screen.open('', noEngine);
    const engine = Promise.withResolvers<void>();
    screen.engineComes = engine.promise;
    await startRecording();
    const sessionId = screen.app.recorder.sessionId!;
    screen.handlers.backlog({ speechMs: 4_000, attached: false });
    screen.find(RECORD).click();
    await inState('idle');
    await vi.waitFor(() => expect(status('activity')).toContain('(4 sec waiting)'));
    screen.find('[data-panel=meetings]').click();
    await vi.waitFor(() => expect(listed(sessionId).dataset.live).toBe('finishing'));
    expect(screen.all('[data-action=delete]')).toEqual([]);

    screen.publish({ type: 'segment', sessionId, segment: segment(0, 'Here it is.') });
    engine.resolve();
    await vi.waitFor(() => expect(screen.all('[data-action=delete]')).toHaveLength(1));
    expect(items().map(text)).toEqual(['Here it is.']);
  });

  it('says why it failed and that recording goes on, and takes that back when it runs', async () => {
    screen = await Screen.open('', noEngine);
    screen.publish({ type: 'health', entry: { ...entry, level: 'error', code: 'engine-boot-failed' } });
    const notice = await vi.waitFor(() => screen.find('[data-notice=no-engine]'));
    expect(notice.textContent).toContain(entry.message);
    await startRecording();
    screen.setOwner(ownerOf(OTHER_TAB));
    expect(screen.all('[data-notice=no-engine]')).toEqual([]);
  });

  it('after it was lost for good offers to reload', async () => {
    screen = await Screen.open('', noEngine);
    screen.publish({ type: 'health', entry: { ...entry, level: 'error', code: 'engine-lost' } });
    (await vi.waitFor(() => screen.find('[data-notice=engine-lost] [data-action=notice]'))).click();
    expect(screen.calls).toContain('reload');
  });

  it('another engine makes the model ready again', async () => {
    screen = await Screen.open();
    await vi.waitFor(() => expect(screen.calls).toContain('prepare whisper-tiny'));
    screen.calls.length = 0;
    screen.setOwner(null);
    screen.setOwner(ownerOf(OTHER_TAB, 'ready', 2));
    await vi.waitFor(() => expect(screen.calls).toContain('prepare whisper-tiny'));
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

describe('leaving the page', () => {
  const asks = () => {
    const leave = new Event('beforeunload', { cancelable: true });
    dispatchEvent(leave);
    return leave.defaultPrevented;
  };
  const stopWithWordsToCome = async () => {
    await startRecording();
    screen.engineComes = new Promise(() => undefined);
    screen.handlers.backlog({ speechMs: 3_000, attached: true });
    expect(asks()).toBe(true);
    screen.find(RECORD).click();
    await inState('idle');
  };

  it('asks while it records; what is on disk needs no question afterwards', async () => {
    screen = await Screen.open();
    expect(asks()).toBe(false);
    await stopWithWordsToCome();
    expect(asks()).toBe(false);
  });

  it('asks until every word is stored where the sound is in memory only', async () => {
    screen = await Screen.open('', { journal: 'memory' });
    await stopWithWordsToCome();
    screen.find('[data-notice=memory-journal]');
    expect(asks()).toBe(true);
    screen.handlers.backlog({ speechMs: 0, attached: true });
    expect(asks()).toBe(false);
  });

  it('asks too when the disk became full on the way', async () => {
    screen = await Screen.open();
    await startRecording();
    screen.engineComes = new Promise(() => undefined);
    screen.handlers.backlog({ speechMs: 3_000, attached: true });
    screen.handlers.warning(new UnisonoError('storage-full', 'full'));
    screen.find(RECORD).click();
    await inState('idle');
    expect(asks()).toBe(true);
  });
});

describe('the tabs panel', () => {
  it('lists this tab first, who owns the engine, and who records what; a click shows it', async () => {
    const id = crypto.randomUUID() as SessionId;
    await Screen.forget();
    await Screen.stored(async (database) => {
      await database.put('sessions', meeting({ id }));
      await database.put('segments', { sessionId: id, segment: segment(0, 'Over there.') });
      await database.put('sessions', meeting({ id: 'later' as SessionId, startedAtMs: Date.now() }));
    });
    screen = await Screen.reopen();
    screen.setOwner(ownerOf(OTHER_TAB, 'booting'));
    screen.setTabs(tabState(OTHER_TAB, { openedAtMs: 0, recording: [id], visible: false, build: 7 }));
    screen.find('[data-panel=tabs]').click();
    await vi.waitFor(() => expect(screen.all('#panel [data-tab]')).toHaveLength(2));
    const [own, other] = screen.all('#panel [data-tab]');
    expect(own!.dataset).toMatchObject({ self: 'true', owner: 'false', visible: 'true', build: '1' });
    expect(other!.dataset).toMatchObject({ self: 'false', owner: 'true', visible: 'false', build: '7' });
    expect(other!.textContent).toContain('Starts the engine');
    screen.setOwner(ownerOf(OTHER_TAB));
    expect(other!.textContent).toContain('Runs the engine');
    expect(other!.textContent).toContain('Records since 9:30');
    other!.querySelector<HTMLElement>(`[data-session-id="${id}"]`)!.click();
    await vi.waitFor(() => expect(items().map(text)).toEqual(['Over there.']));
  });

  it('says what the engine does, and that there is none', async () => {
    screen = await Screen.open();
    screen.report = {
      ...screen.report,
      epoch: 12 as Epoch,
      loads: [{ model: 'whisper-tiny', loadMs: 1_500, bytes: 41_000_000 }],
      modelBytes: 41_000_000,
      clients: 3,
      queued: 4,
    };
    screen.find('[data-panel=tabs]').click();
    const fact = (name: string) => screen.find(`[data-fact=${name}] dd`).textContent;
    await vi.waitFor(() => expect(fact('epoch')).toBe('12'));
    expect(fact('loads')).toBe('Whisper tiny in 1.5 sec, 41 MB');
    expect(fact('clients')).toBe('3');
    expect(fact('queue')).toBe('4');
    expect(fact('memory')).toBe('1.2 GB');
    screen.setOwner(null);
    expect(screen.all('[data-fact]')).toEqual([]);
    expect(screen.find('#panel').textContent).toContain('There is no engine at the moment');
  });
});

describe('the log', () => {
  it('is filtered by level', async () => {
    screen = await Screen.open();
    for (const level of ['info', 'warning', 'error'] as const) {
      screen.publish({ type: 'health', entry: { ...entry, level, code: level } });
    }
    screen.find('[data-panel=models]').click();
    const select = await vi.waitFor(() => screen.find('[data-control=health-level]'));
    const shown = () => screen.all('[data-health]').map(({ dataset }) => dataset.health);
    expect(shown()).toEqual(['error', 'warning', 'info']);
    await userEvent.selectOptions(select, 'warning');
    expect(shown()).toEqual(['error', 'warning']);
    await userEvent.selectOptions(select, 'error');
    expect(shown()).toEqual(['error']);
  });

  it('is downloaded without a word of what was said', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Our secret is rhubarb.'));
    say(spoken(4_000, 'And custard', { state: 'committed', tentative: words(' perhaps') }));
    screen.publish({ type: 'health', entry });
    await screen.settled();
    const blobs: Blob[] = [];
    const create = vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      blobs.push(blob as Blob);
      return '#';
    });
    screen.find('[data-panel=models]').click();
    (await vi.waitFor(() => screen.find('[data-action=download-health]'))).click();
    await vi.waitFor(() => expect(blobs).toHaveLength(1));
    create.mockRestore();
    const downloaded = await blobs[0]!.text();
    expect(JSON.parse(downloaded)).toMatchObject({
      owner: { tab: THIS_TAB },
      engine: { epoch: 1 },
      tabs: [{ tab: THIS_TAB }],
    });
    expect(downloaded).toContain(entry.message);
    for (const word of ['secret', 'rhubarb', 'custard', 'perhaps']) expect(downloaded).not.toContain(word);
  });
});

describe('messages', () => {
  it('a build with another protocol makes the page anew once, then only says so', async () => {
    screen = await Screen.open();
    screen.meetForeign(9);
    expect(screen.calls).toContain('reload');
    expect(screen.all('[data-notice]')).toEqual([]);
    await screen.close();
    screen = await Screen.reopen();
    screen.meetForeign(9);
    expect(screen.calls).not.toContain('reload');
    screen.find('[data-notice=other-protocol] [data-action=notice]').click();
    expect(screen.calls).toContain('reload');
  });

  it('a build with another protocol never reloads a page that records', async () => {
    screen = await Screen.open();
    await startRecording();
    screen.meetForeign(9);
    expect(screen.calls).not.toContain('reload');
    screen.find('[data-notice=other-protocol]');
  });

  it('words that are not stored are said, until they are', async () => {
    screen = await Screen.open();
    const error = toWire(new UnisonoError('storage-full', 'no room'));
    screen.publish({ type: 'storage', error });
    screen.find('[data-notice=storage-full] [role=alert]');
    screen.publish({ type: 'storage', error: null });
    expect(screen.all('[data-notice]')).toEqual([]);
  });

  it('a tab that opens when the model is ready shows so', async () => {
    const whisper = { model: 'whisper-tiny', state: 'ready', rung: 'wasm' } as const;
    screen = await Screen.open('', { models: [{ ...whisper, progress: null, selfTest: [], error: null }] });
    await vi.waitFor(() => expect(screen.find('[data-status=model]').textContent).toContain('Whisper tiny'));
  });

  it('a browser that cannot share an engine says so', async () => {
    screen = await Screen.open('', { singleTab: true });
    expect(screen.find('[data-notice=single-tab] [role=status]').textContent).toContain('one tab only');
  });

  it('the audio is kept only where that was switched on', async () => {
    screen = await Screen.open();
    screen.find('[data-panel=settings]').click();
    const keep = await vi.waitFor(() => screen.find('[data-control=keep-audio]') as HTMLInputElement);
    expect(keep.checked).toBe(false);
    keep.click();
    await startRecording();
    screen.find(RECORD).click();
    await inState('idle');
    await vi.waitFor(() => expect(screen.calls).toContain('finish, audio kept'));
  });
});
