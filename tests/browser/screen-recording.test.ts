import { flushSync } from 'svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { UnisonoError } from '@core/protocol/errors.ts';
import { Screen } from '../support/screen.ts';
import { RECORD, screenPage } from '../support/screen-page.ts';

let screen: Screen;
const { state, inState, items, text, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

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
