import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { ModelStatus } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { LOCKS } from '@core/protocol/tabs.ts';
import { textOf, type Segment } from '@core/transcript/types.ts';
import { OTHER_TAB, Screen } from '../support/screen.ts';
import { screenPage } from '../support/screen-page.ts';
import { meeting, segment, words } from '../support/segments.ts';

const VIEW = '[data-view=captions]';
const BUTTON = '[data-action=captions]';

let screen: Screen;
const { state, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
beforeEach(async () => {
  screen = await Screen.open();
});
afterEach(() => screen.close());

const lines = () => screen.all(`${VIEW} [data-segment-id]`);
const texts = () => screen.all(`${VIEW} [data-role=original]`).map((line) => line.textContent.trim());
const isOpen = () => screen.all(VIEW).length > 0;
const focused = (selector: string) => document.activeElement?.matches(selector) ?? false;
const sizePx = () => Number.parseFloat(getComputedStyle(screen.find(`${VIEW} .stage`)).fontSize);

/** What the engine says of a segment of which each sentence is so translated. */
function translate(of: Segment, translations: readonly string[]): void {
  const sentences = textOf(of.committed).split(/(?<=[.?]) /);
  let to = 0;
  const units = sentences.map((text, index) => {
    const from = to;
    to += words(text).length;
    return { from, to, text, translation: translations[index]! };
  });
  const sessionId = screen.app.recorder.sessionId!;
  screen.publish({
    type: 'translation',
    sessionId,
    translation: { sessionId, segmentId: of.id, target: 'zh', units, complete: true, glossary: '' },
  });
}

async function open(): Promise<void> {
  screen.find(BUTTON).click();
  await vi.waitFor(() => screen.find(VIEW));
}

describe('the captions', () => {
  it('open by button and by key, over everything else, and Escape gives the focus back', async () => {
    await userEvent.click(screen.find(BUTTON));
    await vi.waitFor(() => expect(focused(VIEW)).toBe(true));
    expect(screen.find('dialog').matches(':modal')).toBe(true);
    await userEvent.keyboard('{Escape}');
    await vi.waitFor(() => expect(isOpen()).toBe(false));
    expect(focused(BUTTON)).toBe(true);

    await userEvent.keyboard('c');
    await vi.waitFor(() => expect(isOpen()).toBe(true));
    await userEvent.keyboard('c');
    await vi.waitFor(() => expect(isOpen()).toBe(false));
    expect(focused(BUTTON)).toBe(true);
  });

  it('say what they are for while nobody has spoken, and can begin', async () => {
    await open();
    expect(screen.find(VIEW).textContent).toContain('Captions appear here when somebody speaks');
    screen.find(`${VIEW} [data-action=start]`).click();
    await vi.waitFor(() => expect(state()).toBe('recording'));
    expect(screen.all(`${VIEW} [data-action=start]`)).toEqual([]);
    say(spoken(0, 'Good morning.'));
    expect(texts()).toEqual(['Good morning.']);
  });

  it('leave the keys of the recording alone', async () => {
    await startRecording();
    await userEvent.click(screen.find(BUTTON));
    await userEvent.keyboard(' ');
    await vi.waitFor(() => expect(state()).toBe('paused'));
    await userEvent.keyboard('r');
    await vi.waitFor(() => expect(state()).toBe('idle'));
  });

  it('show the last sentences with the latest at the bottom, and follow', async () => {
    await startRecording();
    for (let index = 0; index < 60; index++) say(spoken(index * 3_000, `Sentence number ${index}.`));
    await open();
    const bottom = () => lines().at(-1)!.getBoundingClientRect().bottom;
    const stage = screen.find(`${VIEW} .stage`).getBoundingClientRect();
    expect(texts().at(-1)).toBe('Sentence number 59.');
    expect(texts().length).toBeLessThan(60);
    expect(bottom()).toBeLessThanOrEqual(stage.bottom);
    const before = bottom();
    say(spoken(180_000, 'One', { state: 'committed', tentative: words(' more sentence') }));
    expect(texts().at(-1)).toBe('One more sentence');
    expect(screen.find(`${VIEW} .tentative`).textContent).toBe(' more');
    expect(bottom()).toBeCloseTo(before, 0);
  });

  it('never move a line down: where words are taken back, their room stays for the next ones', async () => {
    await startRecording();
    for (let index = 0; index < 40; index++) say(spoken(index * 3_000, `Sentence number ${index}.`));
    await open();
    const anchor = lines().at(-1)!;
    const top = () => anchor.getBoundingClientRect().top;
    const lineHeight = Number.parseFloat(getComputedStyle(anchor).lineHeight);
    const tops: number[] = [top()];
    const next = (rev: number, count: number) => {
      say(spoken(120_000, 'So', { state: 'committed', rev, tentative: words(' we go on'.repeat(count)) }));
      tops.push(top());
    };
    [1, 40, 20, 2, 30, 45].forEach((count, index) => next(index + 1, count));
    const moves = tops.slice(1).map((value, index) => tops[index]! - value);
    // The new sentence and the room for three lines of it; then nothing until four are needed.
    expect(moves.slice(2, 5).map(Math.round)).toEqual([0, 0, 0]);
    expect(Math.min(...moves)).toBeGreaterThan(-0.5);
    expect(moves[1]! / lineHeight).toBeCloseTo(Math.round(moves[1]! / lineHeight), 1);

    const { id } = segment(120_000, '', { sourceId: screen.app.sources.list[0]!.sourceId });
    const sessionId = screen.app.recorder.sessionId!;
    screen.publish({ type: 'segment-dropped', sessionId, segmentId: id, rev: 99, reason: 'no-speech' });
    tops.push(top());
    // Sentences leave at the top meanwhile; that moves nothing either.
    say(spoken(126_000, 'And so on.'));
    tops.push(top());
    expect(tops.slice(-3).map(Math.round)).toEqual(Array(3).fill(Math.round(top())));
  });

  it('can be made larger and smaller, by button and by key, and remember it', async () => {
    await open();
    expect(sizePx()).toBe(40);
    await userEvent.keyboard('+');
    screen.find('[data-action=caption-larger]').click();
    await vi.waitFor(() => expect(sizePx()).toBe(48));
    await userEvent.keyboard('-');
    await vi.waitFor(() => expect(sizePx()).toBe(44));
    await screen.close();

    screen = await Screen.reopen();
    await open();
    expect(sizePx()).toBe(44);
    for (let press = 0; press < 5; press++) await userEvent.keyboard('+');
    await vi.waitFor(() => expect(sizePx()).toBe(56));
    expect(screen.find('[data-action=caption-larger]').matches(':disabled')).toBe(true);
  });

  it('fill the screen and give it back', async () => {
    await userEvent.click(screen.find(BUTTON));
    await userEvent.keyboard('f');
    await vi.waitFor(() => expect(document.fullscreenElement).toBe(document.documentElement));
    await vi.waitFor(() => screen.find('[data-action=fullscreen][aria-label="Leave full screen"]'));
    await userEvent.keyboard('c');
    await vi.waitFor(() => expect(document.fullscreenElement).toBeNull());
  });

  it('have a contrast of 7:1 and more for every word, in both themes', async () => {
    await startRecording();
    say(spoken(0, 'So', { state: 'committed', tentative: words(' we go on') }));
    screen.app.translations.choose('zh');
    say(spoken(4_000, 'Good morning.'));
    translate(spoken(4_000, 'Good morning.'), ['早上好。']);
    for (const theme of ['light', 'dark'] as const) {
      screen.app.settings.set({ theme });
      await open();
      const view = getComputedStyle(screen.find(VIEW));
      const inkOf = (selector: string) => getComputedStyle(screen.find(`${VIEW} ${selector}`)).color;
      const inks = [view.color, inkOf('.tentative'), inkOf('[data-role=translation]')];
      expect(new Set(inks).size).toBe(inks.length);
      for (const ink of inks) expect(contrast(ink, view.backgroundColor)).toBeGreaterThanOrEqual(7);
      screen.find('[data-action=leave-captions]').click();
      await vi.waitFor(() => expect(isOpen()).toBe(false));
    }
  });

  it('say what went wrong meanwhile', async () => {
    await startRecording();
    await open();
    screen.app.notices.report(new UnisonoError('microphone-unplugged', 'test'));
    await vi.waitFor(() =>
      expect(screen.find(`${VIEW} [data-notice]`).textContent).toContain('was unplugged'),
    );
  });

  it('show what another tab records, and the screen stays on', async () => {
    const id = crypto.randomUUID() as SessionId;
    const [held, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const recording = navigator.locks.request(LOCKS.recording(id), () => (held.resolve(), over.promise));
    await held.promise;
    await Screen.stored((database) => database.put('sessions', meeting({ id })));
    screen.publish({ type: 'session', sessionId: id, tab: OTHER_TAB, state: 'open' });
    await vi.waitFor(() => expect(screen.app.transcripts.isLive(id)).toBe(true));
    const staysOn = vi.spyOn(navigator.wakeLock, 'request');
    await open();
    screen.publish({ type: 'segment', sessionId: id, segment: segment(0, 'From the other tab.') });
    expect(texts()).toEqual(['From the other tab.']);
    expect(staysOn).toHaveBeenCalledWith('screen');
    staysOn.mockRestore();
    over.resolve();
    await recording;
  });
});

describe('the captions of a meeting that is translated', () => {
  const shown = () =>
    screen
      .all(`${VIEW} p[lang]`)
      .map(({ dataset, lang, textContent }) => [dataset.role, lang, textContent.trim()]);
  const choose = (text: string) =>
    userEvent.selectOptions(screen.find(`${VIEW} [data-control=caption-text]`), text);

  async function sayTwo(): Promise<void> {
    screen.app.translations.choose('zh');
    await startRecording();
    await vi.waitFor(() => expect(screen.views.at(-1)?.target).toBe('zh'));
    const hello = spoken(0, 'Good morning. How are you?');
    say(hello);
    translate(hello, ['早上好。', '你好吗？']);
    say(spoken(4_000, 'How', { state: 'committed', tentative: words(' are') }));
  }

  it('have it under the original, or one of the two, each in its language', async () => {
    await sayTwo();
    await open();
    const [english, chinese] = [
      ['original', 'en', 'Good morning. How are you?'],
      ['translation', 'zh-Hans', '早上好。你好吗？'],
    ];
    const next = ['original', 'en', 'How are'];
    expect(shown()).toEqual([english, chinese, next]);
    await choose('original');
    expect(shown()).toEqual([english, next]);
    await choose('translation');
    expect(shown()).toEqual([chinese]);
    await screen.close();

    screen = await Screen.reopen();
    await open();
    expect(shown()).toEqual([chinese]);
  });

  it('stand as they were said while the model for it is fetched, and are not there before their translation after that', async () => {
    await sayTwo();
    await open();
    await choose('translation');
    const model = (state: ModelStatus['state']) =>
      screen.publish({
        type: 'model',
        status: { model: 'opus-mt-en-zh', state, rung: null, progress: null, selfTest: [], error: null },
      });
    const original = ['original', 'en', 'Nobody can wait.'];
    const [chinese] = shown();
    model('downloading');
    const next = spoken(8_000, 'Nobody can wait.');
    say(next);
    expect(shown()).toEqual([chinese, original]);
    model('ready');
    expect(shown()).toEqual([chinese]);
    translate(next, ['没有人能等。']);
    expect(shown()).toEqual([chinese, ['translation', 'zh-Hans', '没有人能等。']]);
  });

  it('into Chinese are marked as simplified, whatever characters the meeting is shown in', async () => {
    screen.app.settings.set({ chineseScript: 'traditional' });
    await sayTwo();
    await open();
    expect(shown()).toContainEqual(['translation', 'zh-Hans', '早上好。你好吗？']);
  });

  it('offer the choice only then; the key of the translation works here too', async () => {
    await sayTwo();
    await open();
    await userEvent.keyboard('t');
    await vi.waitFor(() => expect(screen.all(`${VIEW} [data-control=caption-text]`)).toEqual([]));
    expect(shown().map(([role]) => role)).toEqual(['original', 'original']);
  });
});

describe('the captions in a window that floats', () => {
  /** The page of these tests is a frame, and only a top-level page may open such a window: it does so for this one. */
  type PictureInPicture = { requestWindow(options: object): Promise<Window>; window: Window | null };
  const real = (window.top as unknown as { documentPictureInPicture: PictureInPicture })
    .documentPictureInPicture;
  const api = { requestWindow: (options: object) => real.requestWindow(options) };
  const floating = () => real.window!.document;
  const inWindow = (selector: string) => floating().querySelector<HTMLElement>(selector)!;

  beforeEach(async () => {
    Object.defineProperty(window, 'documentPictureInPicture', { value: api, configurable: true });
    await screen.close();
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Good morning.'));
    await userEvent.click(screen.find(BUTTON));
    await userEvent.click(screen.find('[data-action=float]'));
    await vi.waitFor(() => expect(real.window?.document.querySelector(VIEW)).toBeTruthy());
  });
  afterEach(() => real.window?.close());

  it('look as in the page, and follow', async () => {
    expect(isOpen()).toBe(false);
    expect(floating().title).toBe('Captions');
    expect(floating().documentElement.lang).toBe('en');
    const stage = getComputedStyle(inWindow('.stage'));
    expect(stage.lineHeight).toBe(`${1.35 * Number.parseFloat(stage.fontSize)}px`);
    screen.app.settings.set({ theme: 'dark' });
    await vi.waitFor(() => expect(getComputedStyle(inWindow(VIEW)).color).toBe('rgb(255, 253, 248)'));

    say(spoken(4_000, 'How', { state: 'committed', tentative: words(' are') }));
    const said = [...floating().querySelectorAll('[data-role=original]')].map((line) =>
      line.textContent.trim(),
    );
    expect(said).toEqual(['Good morning.', 'How are']);
  });

  it('have their buttons and keys there', async () => {
    inWindow('[data-action=caption-larger]').click();
    expect(screen.app.settings.current.captionSizePx).toBe(44);
    inWindow(VIEW).dispatchEvent(new KeyboardEvent('keydown', { key: '-', bubbles: true }));
    expect(screen.app.settings.current.captionSizePx).toBe(40);
    inWindow(VIEW).dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await vi.waitFor(() => expect(isOpen()).toBe(true));
    await vi.waitFor(() => expect(real.window === null).toBe(true));
  });

  it('are back in the page when the window is closed, and again when the button is pressed', async () => {
    real.window!.close();
    await vi.waitFor(() => expect(focused(VIEW)).toBe(true));
    expect(texts()).toEqual(['Good morning.']);
    say(spoken(4_000, 'And so on.'));
    expect(texts()).toEqual(['Good morning.', 'And so on.']);

    await userEvent.click(screen.find('[data-action=float]'));
    await vi.waitFor(() => expect(isOpen()).toBe(false));
    await userEvent.click(screen.find(BUTTON));
    await vi.waitFor(() => expect(texts()).toHaveLength(2));
    await vi.waitFor(() => expect(real.window === null).toBe(true));
  });

  it('leave with the page', async () => {
    screen.app.locale.set('fr');
    await vi.waitFor(() => expect(real.window === null).toBe(true));
    expect(isOpen()).toBe(false);
    screen.app.locale.set('en');
  });
});

describe('the captions where only videos float', () => {
  const video = () => document.pictureInPictureElement as HTMLVideoElement | null;
  /** How many points of the picture as it is played are bright. */
  function brightPoints(): number {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext('2d')!;
    context.drawImage(video()!, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((byte, index) => index % 4 === 1 && byte > 128).length;
  }

  beforeEach(async () => {
    Object.defineProperty(window, 'documentPictureInPicture', { value: undefined, configurable: true });
    await screen.close();
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Good morning.'));
    await userEvent.click(screen.find(BUTTON));
  });

  it('are a video of the last words, which are drawn as they come', async () => {
    await userEvent.click(screen.find('[data-action=float]'));
    await vi.waitFor(() => expect(video() === null).toBe(false));
    expect(video()!.muted).toBe(true);
    await vi.waitFor(() => expect(brightPoints()).toBeGreaterThan(100));
    const before = brightPoints();
    say(spoken(4_000, 'And here is another sentence.'));
    await vi.waitFor(() => expect(brightPoints()).toBeGreaterThan(before * 1.5));
    expect(texts()).toHaveLength(2);

    const [track] = (video()!.srcObject as MediaStream).getTracks();
    await userEvent.click(screen.find('[data-action=float]'));
    await vi.waitFor(() => expect(video() === null).toBe(true));
    expect(track!.readyState).toBe('ended');
  });

  it('end with the view', async () => {
    await userEvent.click(screen.find('[data-action=float]'));
    await vi.waitFor(() => expect(video() === null).toBe(false));
    await userEvent.keyboard('{Escape}');
    await vi.waitFor(() => expect(video() === null).toBe(true));
  });

  it('do not float where nothing does', async () => {
    Object.defineProperty(document, 'pictureInPictureEnabled', { value: false, configurable: true });
    await screen.close();
    screen = await Screen.open();
    await open();
    expect(screen.all('[data-action=float]')).toEqual([]);
    delete (document as { pictureInPictureEnabled?: boolean }).pictureInPictureEnabled;
  });
});

/** WCAG 2.2, 1.4.3. */
function contrast(a: string, b: string): number {
  const [bright, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d')!;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map((byte) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
