import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Screen } from '../support/screen.ts';
import { screenPage } from '../support/screen-page.ts';

let screen: Screen;
let copied = '';
const { startRecording, say, spoken } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
beforeEach(() => {
  // A test has no right to the clipboard.
  vi.spyOn(navigator.clipboard, 'writeText').mockImplementation((text) => {
    copied = text;
    return Promise.resolve();
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await screen.close();
});

const copy = async () => {
  copied = '';
  await userEvent.click(screen.find('[data-action=copy]'));
  await vi.waitFor(() => expect(copied).not.toBe(''));
  return copied;
};
const choices = () => screen.all('[data-control=exported-text] input');
const choose = async (text: string) => {
  await userEvent.click(screen.find('[data-control=download]'));
  await userEvent.click(screen.find(`[data-control=exported-text] input[value=${text}]`));
  await userEvent.keyboard('{Escape}');
};

/** A sentence in English that this tab reads in French, and one that is not translated. */
async function translatedMeeting() {
  await startRecording();
  const greeting = spoken(0, 'Good morning.');
  say(greeting);
  say(spoken(4_000, 'The budget.'));
  screen.app.translations.choose('fr');
  await vi.waitFor(() => expect(screen.views.at(-1)?.target).toBe('fr'));
  screen.publish({
    type: 'translation',
    sessionId: screen.app.recorder.sessionId!,
    translation: {
      sessionId: screen.app.recorder.sessionId!,
      segmentId: greeting.id,
      target: 'fr',
      units: [{ from: 0, to: 2, text: 'Good morning.', translation: 'Bonjour.' }],
      complete: true,
      glossary: '',
    },
  });
}

describe('copying and downloading a translated meeting', () => {
  it('asks for no language while nothing is translated', async () => {
    screen = await Screen.open();
    await startRecording();
    say(spoken(0, 'Good morning.'));
    await vi.waitFor(() => screen.find('[data-action=copy]'));
    expect(choices()).toHaveLength(0);
    expect(await copy()).toBe('[0:00] Good morning.\n');
  });

  it('gives both languages, or the one that is chosen, and remembers it', async () => {
    screen = await Screen.open();
    await translatedMeeting();
    await vi.waitFor(() => expect(choices()).toHaveLength(3));
    expect(await copy()).toBe('[0:00] Good morning.\n    → fr: Bonjour.\n[0:04] The budget.\n');
    await choose('translation');
    expect(await copy()).toBe('[0:00] Bonjour.\n[0:04] The budget.\n');
    await choose('original');
    expect(await copy()).toBe('[0:00] Good morning.\n[0:04] The budget.\n');
    await screen.close();
    screen = await Screen.reopen();
    expect(screen.app.settings.current.exportedText).toBe('original');
  });

  it('downloads what is chosen, under a name that tells', async () => {
    screen = await Screen.open();
    await translatedMeeting();
    let name = '';
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      name = this.download;
    });
    const files = vi.spyOn(URL, 'createObjectURL');
    await vi.waitFor(() => expect(choices()).toHaveLength(3));
    await userEvent.click(screen.find('[data-control=download]'));
    await userEvent.click(screen.find('button[data-format=vtt]'));
    expect(name).toMatch(/^unisono-.*\.both-fr\.vtt$/);
    const file = files.mock.calls[0]![0] as Blob;
    expect(await file.text()).toContain('<lang en>Good morning.</lang>\n<lang fr>Bonjour.</lang>');
  });
});
