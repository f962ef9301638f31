import { flushSync } from 'svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import { Screen } from '../support/screen.ts';
import { segment, words } from '../support/segments.ts';

let screen: Screen;
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

const RECORD = '[data-action=record]';
const state = () => screen.find('[data-recorder]').dataset.recorder;
const inState = (wanted: string) => vi.waitFor(() => expect(state()).toBe(wanted));
const items = () => screen.all('ol[role=log] > li[data-segment-id]');
const text = (item: HTMLElement) => item.querySelector('[data-role=original]')?.textContent;

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
    expect(screen.calls.filter((call) => !call.startsWith('prepare'))).toEqual([
      'open auto en,es,fr,zh',
      'add microphone',
      'pause',
      'resume',
      'stop',
      'close',
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
    expect(screen.calls).toContain('close');

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
    expect(screen.calls.filter((call) => call === 'close')).toHaveLength(2);
  });

  it('other languages hold for the running recording at once', async () => {
    screen = await Screen.open();
    await startRecording();
    for (const language of ['en', 'es', 'fr']) screen.find(`input[type=checkbox][value=${language}]`).click();
    await vi.waitFor(() => expect(screen.calls.at(-1)).toBe('update auto zh'));
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

  it('is there after a reload, with what was certain of the sentence under way', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Good morning.'));
    say(spoken(4_000, 'Thank you', { state: 'committed', tentative: words(' for') }));
    await screen.app.meetings.refresh();
    await screen.close();

    screen = await Screen.reopen();
    expect(items().map(text)).toEqual(['Good morning.', 'Thank you']);
    expect(items().map(({ dataset }) => dataset.state)).toEqual(['final', 'final']);
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
    const status = (name: string) => screen.find(`[data-status=${name}]`).textContent.trim();
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
