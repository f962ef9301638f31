import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { HealthEntry } from '@core/protocol/engine.ts';
import { toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SessionId } from '@core/protocol/ids.ts';
import { OTHER_TAB, ownerOf, Screen, tabState, THIS_TAB } from '../support/screen.ts';
import { RECORD, screenPage } from '../support/screen-page.ts';
import { meeting, segment, words } from '../support/segments.ts';

let screen: Screen;
const { state, inState, items, text, status, listed, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

const entry: HealthEntry = {
  atMs: 0,
  level: 'info',
  scope: 'engine',
  code: 'any',
  message: 'The engine worker could not be fetched.',
};

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
