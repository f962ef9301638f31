import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Segment } from '@core/transcript/types.ts';
import { Screen } from '../support/screen.ts';
import { screenPage } from '../support/screen-page.ts';
import { words } from '../support/segments.ts';
import { StandInTranslator } from '../support/stand-in-translator.ts';

let screen: Screen;
const { items, text, status, startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
afterEach(async () => {
  vi.useRealTimers();
  await screen.close();
  vi.unstubAllGlobals();
});

const MORNING = 'Good morning. How are you?';
const MORNING_FR = 'Goodfr morningfr.';
const shown = () => screen.all('[data-role=translation]').map(({ textContent }) => textContent.trim());
const notice = (code: string) => vi.waitFor(() => screen.find(`[data-notice=browser-translator-${code}]`));
const act = (code: string) => screen.find(`[data-notice=browser-translator-${code}] [data-action=notice]`);
const viewsOfEngine = () => screen.views.filter((view) => view !== null);

async function openSettings(): Promise<void> {
  screen.find('[data-panel=settings]').click();
  await vi.waitFor(() => screen.find('#panel [data-control=keep-audio]'));
}

async function chooseTranslator(translator: 'unisono' | 'browser'): Promise<void> {
  await openSettings();
  screen.find(`#panel [data-control=translator] input[value=${translator}]`).click();
  screen.find('[data-panel=settings]').click();
}

/** A page that records and reads French by the browser's translator. */
async function inFrench(): Promise<void> {
  screen = await Screen.open('?target=fr');
  await chooseTranslator('browser');
  await startRecording();
}

/** The real API, whose models cannot be fetched here. */
describe.skipIf(!('Translator' in globalThis))('the translator of this browser, without a network', () => {
  it('asks for a press, and where the press is none, or brings nothing, says so; the words go on', async () => {
    await inFrench();
    say(spoken(0, MORNING));
    const asks = await notice('press');
    expect(asks.textContent).toContain('first has to fetch a model from its maker');
    expect(asks.textContent).toContain('en → fr');
    expect(screen.find('[data-obstacle=browser]').textContent).toContain(
      'Browser’s translator is not available',
    );
    expect(screen.find('[data-status=translator]').dataset.state).toBe('failed');

    // For the browser a script's click is no press: it refuses.
    act('press').click();
    const refused = await notice('failed');
    expect(refused.textContent).toContain('could not fetch or start its model');
    expect(screen.all('[data-notice=browser-translator-press]')).toEqual([]);

    // A real press: it waits for a network that never comes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await userEvent.click(act('failed'));
    expect(status('translator')).toBe('Fetching Browser’s translator: …');
    expect(screen.all('[data-notice]')).toEqual([]);
    vi.advanceTimersByTime(120_000);
    vi.useRealTimers();
    expect((await notice('failed')).textContent).toContain('Check the connection');
    expect(act('failed').textContent).toContain('Try again');
    say(spoken(4_000, 'Fine.'));
    expect(items().map(text)).toEqual([MORNING, 'Fine.']);
    expect(viewsOfEngine()).toEqual([]);
  });
});

describe('the choice of the translator', () => {
  it('is not there in a browser that has none, and one made elsewhere has no effect', async () => {
    vi.stubGlobal('Translator', undefined);
    await Screen.forget();
    localStorage.setItem('unisono-settings', JSON.stringify({ translator: 'browser' }));
    screen = await Screen.reopen('?target=fr');
    await openSettings();
    expect(screen.all('[data-control=translator]')).toEqual([]);
    await startRecording();
    await vi.waitFor(() => expect(viewsOfEngine()).toHaveLength(1));
  });

  it('is Unisono until somebody chooses: a stand-in for the browser’s translator is not even asked', async () => {
    const browser = new StandInTranslator().install();
    screen = await Screen.open('?target=fr');
    await openSettings();
    expect(screen.find('[data-control=translator] input[value=unisono]')).toMatchObject({ checked: true });
    await startRecording();
    say(spoken(0, MORNING));
    await vi.waitFor(() => expect(viewsOfEngine()).toHaveLength(1));
    expect(browser.asked).toEqual([]);
  });

  it('holds after a reload, is said in the picker, and can be taken back at any time', async () => {
    const browser = new StandInTranslator().install();
    await inFrench();
    say(spoken(0, MORNING));
    await vi.waitFor(() => expect(shown()).toHaveLength(1));
    await screen.settled();
    await screen.close();

    screen = await Screen.reopen('?target=fr');
    await vi.waitFor(() => expect(shown()).toHaveLength(1));
    expect(screen.find('.popover:has(input[value=none])').textContent).toContain(
      'by your browser’s translator',
    );
    expect(status('translator')).toBe('Browser’s translator');
    expect(viewsOfEngine()).toEqual([]);

    await chooseTranslator('unisono');
    // Nothing of the browser's was stored.
    await vi.waitFor(() => expect(shown()).toEqual([]));
    await vi.waitFor(() => expect(viewsOfEngine()).toHaveLength(1));
    expect(screen.all('[data-status=translator]')).toEqual([]);
    await vi.waitFor(() => expect(browser.open.size).toBe(0));
  });
});

describe('a stand-in for the browser’s translator', () => {
  it('translates what the engine hears, sentence by sentence, and the engine translates nothing', async () => {
    const browser = new StandInTranslator().install();
    browser.answer = (said) =>
      ({ 'Good morning.': 'Bonjour.', 'How are you?': 'Comment allez-vous ?' })[said] ?? '';
    await inFrench();
    const open: Segment = spoken(0, 'Good morning. How are', {
      state: 'committed',
      tentative: words(' you'),
    });
    say(open);
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour.']));
    expect(screen.find('[data-role=translation]').dataset.state).toBe('partial');
    say({ ...open, state: 'final', rev: 2, committed: words(MORNING), tentative: [] });
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour. Comment allez-vous ?']));
    expect(screen.find('[data-role=translation]').dataset.state).toBe('complete');
    expect(screen.find('[data-role=announcer]').textContent).toContain('Comment allez-vous ?');
    expect(browser.translated).toEqual(['en-fr: Good morning.', 'en-fr: How are you?']);
    expect(browser.asked.filter((call) => call === 'create en-fr')).toHaveLength(1);
    expect(screen.find('[data-status=translator]').dataset).toMatchObject({
      model: 'browser',
      state: 'ready',
    });
    expect(viewsOfEngine()).toEqual([]);
  });

  it('keeps numbers and fixed terms, or leaves the original with a mark', async () => {
    const browser = new StandInTranslator().install();
    const text = 'The invoice number is 48213 as agreed.';
    browser.answer = (said) => {
      if (said.includes('invoice')) return 'La facture convenue.';
      return said.includes('X1Z') ? 'Le X1Z se réunit.' : 'La salle se réunit.';
    };
    await inFrench();
    screen.app.glossary.add({ from: 'en', to: 'fr', term: 'board', translation: 'conseil' });
    say(spoken(0, text));
    say(spoken(4_000, 'The board meets.'));
    await vi.waitFor(() => expect(shown()).toEqual([text, 'Le conseil se réunit.']));
    expect(screen.find('[data-flaw=altered]').lang).toBe('en');
  });

  it('that has to fetch a model waits for a press, tells how far it is, and then translates what was said', async () => {
    const browser = new StandInTranslator().install();
    const [here, downloaded] = [new Set<string>(['es-fr']), Promise.withResolvers<void>()];
    let monitor!: EventTarget;
    browser.availability = (direction) => (here.has(direction) ? 'available' : 'downloadable');
    browser.download = (progress) => {
      monitor = progress;
      return downloaded.promise;
    };
    await inFrench();
    say(spoken(0, 'Good morning.'));
    await notice('press');
    expect(browser.asked).toEqual(['availability en-fr']);
    // Another language does not wait for it.
    say(spoken(4_000, 'Buenos.', { language: 'es' }));
    await vi.waitFor(() => expect(shown()).toEqual(['Buenosfr.']));
    expect(screen.all('[data-notice]')).toHaveLength(1);

    await userEvent.click(act('press'));
    await vi.waitFor(() => expect(monitor).toBeDefined());
    monitor.dispatchEvent(new ProgressEvent('downloadprogress', { loaded: 0.34, total: 1 }));
    await vi.waitFor(() => expect(status('translator')).toBe('Fetching Browser’s translator: 34%'));
    expect(screen.all('[data-notice], [data-obstacle]')).toEqual([]);
    here.add('en-fr');
    downloaded.resolve();
    await vi.waitFor(() => expect(shown()).toEqual([MORNING_FR, 'Buenosfr.']));
  });

  it('that lacks two models asks for them one after the other: a press is good for one', async () => {
    const browser = new StandInTranslator().install();
    browser.availability = (direction) => (browser.open.has(direction) ? 'available' : 'downloadable');
    await inFrench();
    say(spoken(0, 'Good morning.'));
    expect((await notice('press')).textContent).toContain('en → fr');
    say(spoken(4_000, 'Buenos.', { language: 'es' }));
    await vi.waitFor(() => expect(screen.find('[data-notice]').textContent).toContain('es → fr'));
    await userEvent.click(act('press'));
    await vi.waitFor(() => expect(shown()).toEqual(['Buenosfr.']));
    expect((await notice('press')).textContent).toContain('en → fr');
    await userEvent.click(act('press'));
    await vi.waitFor(() => expect(shown()).toEqual([MORNING_FR, 'Buenosfr.']));
    expect(screen.all('[data-notice]')).toEqual([]);
  });

  it('whose download fails says so, the words go on, and it can be tried again', async () => {
    const browser = new StandInTranslator().install();
    let online = false;
    browser.availability = () => (browser.open.size > 0 ? 'available' : 'downloadable');
    browser.download = () =>
      online ? Promise.resolve() : Promise.reject(new DOMException('no network', 'NetworkError'));
    await inFrench();
    say(spoken(0, 'Good morning.'));
    await notice('press');
    await userEvent.click(act('press'));
    expect((await notice('failed')).textContent).toContain('Check the connection');
    say(spoken(4_000, 'Fine.'));
    expect(items().map(text)).toEqual(['Good morning.', 'Fine.']);
    screen.find('[data-action=captions]').click();
    await vi.waitFor(() => expect(screen.find('[data-view=captions]').textContent).toContain('Fine.'));
    screen.find('[data-action=leave-captions]').click();
    await vi.waitFor(() => expect(screen.all('[data-view=captions]')).toEqual([]));

    online = true;
    await userEvent.click(act('failed'));
    await vi.waitFor(() => expect(shown()).toHaveLength(2));
    expect(screen.all('[data-notice]')).toEqual([]);
  });

  it('that fails in the middle of it holds its sentences until it is tried again', async () => {
    const browser = new StandInTranslator().install();
    const { answer } = browser;
    browser.answer = () => {
      throw new DOMException('crashed', 'UnknownError');
    };
    await inFrench();
    say(spoken(0, 'Good morning.'));
    await notice('failed');
    expect(browser.open.size).toBe(0);
    browser.answer = answer;
    await userEvent.click(act('failed'));
    await vi.waitFor(() => expect(shown()).toEqual([MORNING_FR]));
  });

  it('that does not know the language offers Unisono’s own models', async () => {
    const browser = new StandInTranslator().install();
    browser.availability = () => 'unavailable';
    await inFrench();
    say(spoken(0, MORNING));
    await notice('unavailable');
    act('unavailable').click();
    await vi.waitFor(() => expect(viewsOfEngine()).toHaveLength(1));
    expect(screen.all('[data-notice], [data-obstacle]')).toEqual([]);
  });

  it('stops with the translation: what the engine had stored is there again', async () => {
    const browser = new StandInTranslator().install();
    screen = await Screen.open('?target=fr');
    await startRecording();
    const segment = spoken(0, 'Good morning.');
    say(segment);
    const { sessionId } = screen.app.recorder;
    const unit = { from: 0, to: 2, text: 'Good morning.', translation: 'Bonjour.' };
    const stored = { sessionId: sessionId!, segmentId: segment.id, target: 'fr', units: [unit] } as const;
    const translation = { ...stored, complete: true, glossary: '' };
    screen.publish({ type: 'translation', sessionId: sessionId!, translation });
    await screen.settled();
    expect(shown()).toEqual(['Bonjour.']);

    await chooseTranslator('browser');
    await vi.waitFor(() => expect(shown()).toEqual([MORNING_FR]));
    // Another tab has the engine translate the same.
    screen.publish({ type: 'translation', sessionId: sessionId!, translation });
    expect(shown()).toEqual([MORNING_FR]);
    expect(screen.views.at(-1)).toBeNull();

    await chooseTranslator('unisono');
    await vi.waitFor(() => expect(shown()).toEqual(['Bonjour.']));
    await vi.waitFor(() => expect(browser.open.size).toBe(0));
  });
});
