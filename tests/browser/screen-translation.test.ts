import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { ModelStatus } from '@core/protocol/engine.ts';
import { toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { Language, Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';
import { OTHER_TAB, ownerOf, Screen } from '../support/screen.ts';
import { RECORD, screenPage } from '../support/screen-page.ts';
import { words } from '../support/segments.ts';

let screen: Screen;
const { inState, items, text, status, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
afterEach(() => screen.close());

const MORNING = 'Good morning. How are you?';
/** The two sentences of {@link MORNING}. */
const BONJOUR: TranslatedUnit = { from: 0, to: 2, text: 'Good morning.', translation: 'Bonjour.' };
const CA_VA: TranslatedUnit = { from: 2, to: 5, text: 'How are you?', translation: 'Comment allez-vous ?' };

/** What the engine has translated of a segment of the meeting on the screen. */
function translate(
  { id }: Segment,
  units: readonly TranslatedUnit[],
  change: Partial<SegmentTranslation> = {},
): void {
  const sessionId = screen.app.transcripts.shown!.meeting.id;
  const translation = {
    sessionId,
    segmentId: id,
    target: 'fr' as const,
    units,
    complete: true,
    glossary: '',
  };
  screen.publish({ type: 'translation', sessionId, translation: { ...translation, ...change } });
}

async function choose(target: Language | 'none'): Promise<void> {
  const picker = screen.find('[data-control=target]');
  picker.click();
  const option = `input[type=radio][value=${target}]`;
  await vi.waitFor(() => expect(document.querySelector(':popover-open')).not.toBeNull());
  screen.find(`:popover-open ${option}`).click();
  await vi.waitFor(() => expect(screen.app.translations.target).toBe(target === 'none' ? null : target));
  picker.click();
}

async function layOut(layout: 'below' | 'beside' | 'only'): Promise<void> {
  screen.find('[data-control=target]').click();
  await vi.waitFor(() => expect(document.querySelector(':popover-open')).not.toBeNull());
  screen.find(`:popover-open input[value=${layout}]`).click();
  screen.find('[data-control=target]').click();
}

const translations = () => screen.all('[data-role=translation]');
const shown = () => translations().map(({ textContent }) => textContent.trim());
const translationOf = (item: HTMLElement) => item.querySelector<HTMLElement>('[data-role=translation]');
const announced = () => screen.find('[data-role=announcer]').textContent.trim();

/** A page that records and reads French, with one English utterance. */
async function inFrench(said = MORNING, change: Partial<Segment> = {}): Promise<Segment> {
  screen = await Screen.open();
  await startRecording();
  await choose('fr');
  const segment = spoken(0, said, change);
  say(segment);
  return segment;
}

const failed = (
  model: ModelStatus['model'],
  code: 'model-missing-offline' | 'model-failed',
): ModelStatus => ({
  model,
  state: 'failed',
  rung: null,
  progress: null,
  selfTest: [],
  error: toWire(new UnisonoError(code, 'no')),
});
const ready = (model: ModelStatus['model']): ModelStatus => ({
  model,
  state: 'ready',
  rung: 'wasm',
  progress: null,
  selfTest: [],
  error: null,
});

describe('the language to read in', () => {
  it('is not fetched for each language that the arrow keys pass over', async () => {
    screen = await Screen.open();
    await startRecording();
    await userEvent.click(screen.find('[data-control=target]'));
    const first = screen.find(':popover-open input[value=none]');
    first.focus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(screen.app.translations.target).toBe(null);
    await userEvent.keyboard('{Enter}');
    expect(screen.app.translations.target).toBe('fr');
    await userEvent.keyboard('{ArrowUp}{Escape}');
    await vi.waitFor(() => expect(screen.app.translations.target).toBe('es'));
    expect(screen.views.map((view) => view?.target)).toEqual(['fr', 'es']);
  });

  it('is asked of the engine for the meeting on the screen, and of the next engine', async () => {
    screen = await Screen.open();
    await startRecording();
    expect(screen.views).toEqual([]);
    await choose('fr');
    const sessionId = screen.app.recorder.sessionId!;
    const view = { sessionId, target: 'fr', glossary: [] };
    await vi.waitFor(() => expect(screen.views).toEqual([view]));
    say(spoken(0, MORNING));
    say(spoken(4_000, 'Fine.'));
    expect(screen.views).toEqual([view]);

    screen.setOwner(null);
    screen.setOwner(ownerOf(OTHER_TAB, 'ready', 2));
    await vi.waitFor(() => expect(screen.views).toEqual([view, view]));

    const entry = { from: 'en', to: 'fr', term: 'budget', translation: 'enveloppe' } as const;
    screen.app.glossary.add(entry);
    await vi.waitFor(() => expect(screen.views.at(-1)).toEqual({ ...view, glossary: [entry] }));
    screen.app.glossary.remove(entry);
    await vi.waitFor(() => expect(screen.views.at(-1)).toEqual(view));

    screen.find(RECORD).click();
    await inState('idle');
    await startRecording();
    const next = screen.app.recorder.sessionId!;
    expect(next).not.toBe(sessionId);
    await vi.waitFor(() => expect(screen.views.at(-1)).toEqual({ ...view, sessionId: next }));

    await choose('none');
    await vi.waitFor(() => expect(screen.views.at(-1)).toBeNull());
  });

  it('is this tab’s own after a reload, and the last choice in a new tab', async () => {
    await inFrench();
    expect(screen.find('[data-control=target]').textContent).toContain('Français');
    await screen.close();
    screen = await Screen.reopen();
    expect(screen.app.translations.target).toBe('fr');
    await screen.close();

    localStorage.setItem('unisono-settings', JSON.stringify({ target: 'es' })); // chosen in another tab
    screen = await Screen.reopen();
    expect(screen.app.translations.target).toBe('fr');
    await screen.close();
    sessionStorage.clear();
    screen = await Screen.reopen();
    expect(screen.app.translations.target).toBe('es');
  });

  it('can be said by a link, for that visit', async () => {
    screen = await Screen.open('?target=fr');
    expect(screen.app.translations.target).toBe('fr');
    expect(screen.app.recorder.state).toBe('idle');
    await screen.close();
    screen = await Screen.reopen();
    expect(screen.app.translations.target).toBeNull();
    await choose('zh');
    await screen.close();
    screen = await Screen.reopen('?target=none');
    expect(screen.app.translations.target).toBeNull();
  });

  it('T goes there and back; where none was chosen yet it asks', async () => {
    screen = await Screen.open();
    await userEvent.keyboard('t');
    await vi.waitFor(() => screen.find('.popover:popover-open input[value=fr]'));
    screen.find(':popover-open input[value=fr]').click();
    await userEvent.keyboard('{Escape}');
    await userEvent.keyboard('t');
    expect(screen.app.translations.target).toBeNull();
    await userEvent.keyboard('t');
    expect(screen.app.translations.target).toBe('fr');
  });
});

describe('a translation', () => {
  it('appears under its sentence, in its language, unit by unit, and says which way it came', async () => {
    const segment = await inFrench(MORNING, { state: 'committed', tentative: words(' I') });
    const [item] = items();
    const height = item!.offsetHeight;
    translate(segment, [BONJOUR], { complete: false });
    const [translation] = translations();
    expect(translation!.dataset.state).toBe('partial');
    expect(translation!.lang).toBe('fr');
    expect(translation!.dataset.via).toBeUndefined();
    // Its line was there before it came.
    expect(item!.offsetHeight).toBe(height);
    expect(translation!.getBoundingClientRect().top).toBeGreaterThanOrEqual(
      item!.querySelector('[data-role=original]')!.getBoundingClientRect().bottom - 1,
    );

    translate(segment, [BONJOUR, CA_VA], { via: 'en' });
    expect(translations()).toEqual([translation]);
    expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']);
    expect(translation!.querySelector('[role=img]')!.ariaLabel).toBe('via English');
    expect(translation!.dataset).toMatchObject({ state: 'complete', via: 'en' });
  });

  it('is marked as Chinese in the script that is read', async () => {
    screen = await Screen.open();
    await startRecording();
    await choose('zh');
    const segment = spoken(0, MORNING);
    say(segment);
    const zh = (unit: TranslatedUnit, translation: string) => ({ ...unit, translation });
    translate(segment, [zh(BONJOUR, '早上好。'), zh(CA_VA, '你好吗？')], { target: 'zh' });
    expect(shown()).toEqual(['早上好。你好吗？']);
    expect(translations()[0]!.lang).toBe('zh-Hans');
  });

  it('into Chinese is marked as simplified, which it is, where what is said is shown in traditional characters', async () => {
    screen = await Screen.open();
    screen.app.settings.set({ chineseScript: 'traditional' });
    await startRecording();
    await choose('zh');
    const segment = spoken(0, MORNING);
    say(segment);
    translate(
      segment,
      [
        { ...BONJOUR, translation: '早上好。' },
        { ...CA_VA, translation: '你好吗？' },
      ],
      { target: 'zh' },
    );
    expect(translations()[0]!.lang).toBe('zh-Hans');
    await vi.waitFor(() => expect(announced()).toBe('早上好。你好吗？'));
    expect(screen.find('[data-role=announcer] p').lang).toBe('zh-Hans');
    say(spoken(4_000, '大家早上好。', { language: 'zh' }));
    expect(items()[1]!.querySelector<HTMLElement>('[data-role=original]')!.lang).toBe('zh-Hant');
  });

  it('is gone where its words have changed, and stays where they have not', async () => {
    const open = await inFrench(MORNING, { state: 'committed', tentative: words(' I') });
    translate(open, [BONJOUR, CA_VA], { complete: false });
    say({ ...open, state: 'final', rev: 2, committed: words('Good morning. Who are you?'), tentative: [] });
    expect(shown()).toEqual(['Bonjour.']);
    expect(translations()[0]!.dataset.state).toBe('partial');
  });

  it('a late, shorter one does not take the place of a longer one', async () => {
    const segment = await inFrench();
    translate(segment, [BONJOUR, CA_VA]);
    translate(segment, [BONJOUR], { complete: false });
    expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']);
    expect(translations()[0]!.dataset.state).toBe('complete');
    // Under a new glossary sentence after sentence is replaced.
    const salut = { ...BONJOUR, translation: 'Salut.' };
    translate(segment, [salut], { complete: false, glossary: 'another' });
    expect(shown()).toEqual(['Salut. Comment allez-vous ?']);
  });

  it('that has a flaw stands in the original words and says why', async () => {
    const segment = await inFrench();
    translate(segment, [BONJOUR, { ...CA_VA, translation: CA_VA.text, flaw: 'altered' }]);
    const flawed = screen.find('[data-flaw=altered]');
    expect(flawed.lang).toBe('en');
    expect(flawed.textContent).toBe('How are you?');
    expect(flawed.querySelector('[role=img]')!.ariaLabel).toContain('a number, an address or a fixed term');
  });

  it('is not there for what is said in that language, nor in another language, nor when it is off', async () => {
    const segment = await inFrench();
    const french = spoken(4_000, 'Bonjour à tous.', { language: 'fr' });
    say(french);
    translate(segment, [BONJOUR, CA_VA]);
    translate(segment, [{ ...BONJOUR, translation: 'Buenos días.' }], { target: 'es' });
    expect(items().map(translationOf)).toEqual([translations()[0], null]);
    expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']);
    await choose('none');
    await vi.waitFor(() => expect(translations()).toEqual([]));
    expect(items().map(text)).toEqual([MORNING, 'Bonjour à tous.']);
    // What was translated is there again at once.
    await screen.settled();
    await choose('fr');
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']));
  });

  it('is there after a reload, without an engine too', async () => {
    const segment = await inFrench();
    translate(segment, [BONJOUR, CA_VA]);
    await screen.settled();
    await screen.close();
    screen = await Screen.reopen('', { owner: null });
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']));
  });

  it('of another meeting is not shown', async () => {
    const segment = await inFrench();
    const sessionId = 'another' as SessionId;
    const translation = { sessionId, segmentId: segment.id, target: 'fr', units: [BONJOUR] } as const;
    const rest = { complete: false, glossary: '' };
    screen.publish({ type: 'translation', sessionId, translation: { ...translation, ...rest } });
    expect(translations()).toEqual([]);
  });

  it('makes a live transcript longer, and its end stays in view', async () => {
    await inFrench();
    for (let index = 1; index < 40; index++) {
      const segment = spoken(index * 4_000, MORNING);
      say(segment);
      const long = { ...CA_VA, translation: 'Comment allez-vous ? '.repeat(8) };
      translate(segment, [BONJOUR, long]);
    }
    const { scrollHeight, clientHeight } = screen.find('.scroller');
    expect(scrollHeight).toBeGreaterThan(clientHeight);
    await vi.waitFor(() => {
      const scroller = screen.find('.scroller');
      expect(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight).toBeLessThan(2);
    });
    expect(screen.all('[data-action=back-to-live]')).toEqual([]);
  });

  it('that comes above does not move what somebody reads further down', async () => {
    await inFrench();
    const segments = Array.from({ length: 40 }, (_, index) => spoken((index + 1) * 4_000, MORNING));
    segments.forEach(say);
    const scroller = screen.find('.scroller');
    await vi.waitFor(() => expect(scroller.scrollTop).toBeGreaterThan(0));
    scroller.scrollTop = scroller.scrollHeight / 2;
    await vi.waitFor(() => screen.find('[data-action=back-to-live]'));
    const read = items().find((item) => item.getBoundingClientRect().top > 200)!;
    const { top } = read.getBoundingClientRect();
    const long = { ...CA_VA, translation: 'Comment allez-vous ? '.repeat(8) };
    for (const segment of segments.slice(0, 5)) translate(segment, [BONJOUR, long]);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    expect(read.getBoundingClientRect().top).toBeCloseTo(top, 0);
  });

  it('is what a screen reader says, when it is complete; in the same language as before', async () => {
    const segment = await inFrench();
    expect(announced()).toBe('');
    translate(segment, [BONJOUR], { complete: false });
    expect(announced()).toBe('');
    translate(segment, [BONJOUR, CA_VA]);
    await vi.waitFor(() => expect(announced()).toBe('Bonjour. Comment allez-vous ?'));
    expect(screen.find('[data-role=announcer] p').lang).toBe('fr');
    say(spoken(4_000, 'Bonjour à tous.', { language: 'fr' }));
    await vi.waitFor(() => expect(announced()).toBe('Bonjour à tous.'));
  });
});

describe('what a screen reader says', () => {
  /** Everything it said from here on. */
  function listen(): string[] {
    const said: string[] = [];
    new MutationObserver(() => said.at(-1) !== announced() && said.push(announced())).observe(
      screen.find('[data-role=announcer]'),
      { childList: true, characterData: true, subtree: true },
    );
    return said;
  }

  it('is not said again while the next sentence waits for its translation', async () => {
    const first = await inFrench();
    const said = listen();
    translate(first, [BONJOUR, CA_VA]);
    await vi.waitFor(() => expect(said).toHaveLength(1));
    say(spoken(4_000, 'Bonjour à tous.', { language: 'fr' }));
    await vi.waitFor(() => expect(said).toHaveLength(2));
    const third = spoken(8_000, MORNING);
    say(third);
    await screen.settled();
    translate(third, [{ ...BONJOUR, translation: 'Salut.' }, CA_VA]);
    await vi.waitFor(() => expect(announced()).toContain('Salut.'));
    expect(said).toEqual(['Bonjour. Comment allez-vous ?', 'Bonjour à tous.', 'Salut. Comment allez-vous ?']);
  });

  it('is not said again in another language', async () => {
    const segment = await inFrench();
    screen.publish({ type: 'model', status: failed('opus-mt-en-fr', 'model-missing-offline') });
    await vi.waitFor(() => expect(announced()).toBe(MORNING));
    const said = listen();
    screen.publish({ type: 'model', status: ready('opus-mt-en-fr') });
    await screen.settled();
    translate(segment, [BONJOUR, CA_VA]);
    await screen.settled();
    say(spoken(4_000, 'Bonjour à tous.', { language: 'fr' }));
    await vi.waitFor(() => expect(announced()).toBe('Bonjour à tous.'));
    expect(said).toEqual(['Bonjour à tous.']);
  });
});

describe('the layout', () => {
  const boxOf = (role: string) => screen.find(`[data-role=${role}]`).getBoundingClientRect();

  it('puts both side by side where there is room, and one under the other where there is not', async () => {
    const segment = await inFrench();
    translate(segment, [BONJOUR, CA_VA]);
    await layOut('beside');
    await vi.waitFor(() => expect(boxOf('translation').left).toBeGreaterThan(boxOf('original').right));
    expect(Math.abs(boxOf('translation').top - boxOf('original').top)).toBeLessThan(2);
    await page.viewport(690, 800);
    await vi.waitFor(() => expect(boxOf('translation').left).toBeLessThan(boxOf('original').right));
    await page.viewport(1280, 800);
    await screen.close();
    screen = await Screen.reopen();
    expect(screen.app.settings.current.translationLayout).toBe('beside');
  });

  it('with the translation only, the original is there on a press, and where nothing is translated yet', async () => {
    const segment = await inFrench(MORNING, { state: 'committed', tentative: words(' I') });
    await layOut('only');
    const visible = () => screen.find('[data-role=original]').innerText.trim();
    expect(visible()).toBe(`${MORNING} I`);
    const height = items()[0]!.offsetHeight;
    translate(segment, [BONJOUR], { complete: false });
    expect(visible()).toBe('How are you? I');
    expect(items()[0]!.offsetHeight).toBe(height);
    say({ ...segment, state: 'final', rev: 2, tentative: [] });
    translate(segment, [BONJOUR, CA_VA]);
    expect(visible()).toBe('');
    expect(items().map(text)).toEqual([MORNING]);
    screen.find('[data-action=original]').click();
    await vi.waitFor(() => expect(visible()).toBe(MORNING));
    expect(screen.find('[data-action=original]').ariaExpanded).toBe('true');
  });

  it('with the translation only, no sentence is there twice where one before it is not translated yet', async () => {
    const segment = await inFrench();
    await layOut('only');
    translate(segment, [CA_VA], { complete: false });
    expect(items()[0]!.innerText).not.toContain('Comment');
    expect(items().map(text)).toEqual([MORNING]);
    const good = { from: 0, to: 1, text: 'Good', translation: 'Bon' };
    translate(segment, [good, CA_VA], { complete: false });
    expect(shown()).toEqual(['Bon']);
    translate(segment, [BONJOUR, CA_VA]);
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']));
  });
});

describe('the models for it', () => {
  it('are said while they load, and the recognizer stays where it was', async () => {
    await inFrench();
    screen.publish({ type: 'model', status: ready('whisper-tiny') });
    const progress = { loadedBytes: 34, totalBytes: 100 };
    const downloading = { ...ready('opus-mt-en-fr'), state: 'downloading', rung: null, progress } as const;
    screen.publish({ type: 'model', status: downloading });
    expect(status('translator')).toBe('Fetching English → French: 34%');
    expect(status('model')).toBe('Whisper tiny · on your processor');
    screen.publish({ type: 'model', status: ready('opus-mt-en-fr') });
    expect(screen.find('[data-status=translator]').dataset.state).toBe('ready');
  });

  it('that cannot be had are said with what to do; the words stay, and all is taken back when they come', async () => {
    const segment = await inFrench();
    screen.publish({ type: 'model', status: failed('opus-mt-en-fr', 'model-missing-offline') });
    const notice = await vi.waitFor(() => screen.find('[data-notice=translator-missing]'));
    expect(notice.textContent).toContain('English → French could not be fetched');
    expect(notice.textContent).toContain('Connect to the network once');
    expect(screen.find('[data-obstacle]').textContent).toBe(
      'Not translated: English → French is not available.',
    );
    expect(items().map(text)).toEqual([MORNING]);
    expect(announced()).toBe(MORNING);

    notice.querySelector<HTMLElement>('[data-action=notice]')!.click();
    await vi.waitFor(() => expect(screen.calls).toContain('prepare opus-mt-en-fr'));
    screen.publish({ type: 'model', status: ready('opus-mt-en-fr') });
    translate(segment, [BONJOUR, CA_VA]);
    expect(screen.all('[data-notice], [data-obstacle]')).toEqual([]);
  });

  it('are fetched again when the network is back', async () => {
    await inFrench();
    screen.publish({ type: 'model', status: failed('opus-mt-en-fr', 'model-missing-offline') });
    screen.publish({ type: 'model', status: failed('opus-mt-fr-en', 'model-failed') });
    dispatchEvent(new Event('online'));
    await vi.waitFor(() => expect(screen.calls).toContain('prepare opus-mt-en-fr'));
    expect(screen.calls).not.toContain('prepare opus-mt-fr-en');
  });

  it('that failed before get another chance when a language is chosen', async () => {
    screen = await Screen.open();
    await startRecording();
    screen.publish({ type: 'model', status: failed('opus-mt-en-fr', 'model-failed') });
    await choose('fr');
    await vi.waitFor(() => expect(screen.calls).toContain('prepare opus-mt-en-fr'));
  });

  it('say nothing to who reads no translation', async () => {
    screen = await Screen.open();
    screen.publish({ type: 'model', status: failed('opus-mt-en-fr', 'model-failed') });
    expect(screen.all('[data-notice], [data-status=translator]')).toEqual([]);
  });

  it('a sentence in no known language says why it is not translated', async () => {
    await inFrench('Hm hm.', { language: null });
    expect(screen.find('[data-obstacle=language]').textContent).toContain('the language was not recognized');
    expect(announced()).toBe('Hm hm.');
  });

  it('are in the panel, and one that is absent can be made ready there', async () => {
    screen = await Screen.open();
    screen.find('[data-panel=models]').click();
    const card = await vi.waitFor(() => screen.find('#panel [data-model=opus-mt-es-fr]'));
    expect(card.textContent).toContain('Spanish → French');
    expect(card.textContent).toContain('Direct, instead of via English.');
    card.querySelector<HTMLElement>('[data-action=prepare]')!.click();
    await vi.waitFor(() => expect(screen.calls).toContain('prepare opus-mt-es-fr'));
    screen.publish({ type: 'model', status: ready('opus-mt-es-fr') });
    await vi.waitFor(() => expect(card.querySelector('[data-action=prepare]')).toBeNull());
  });
});
