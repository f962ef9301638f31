import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Screen } from '../support/screen.ts';
import { screenPage } from '../support/screen-page.ts';

const SECTION = '[data-section=glossary]';
const pair = { from: 'en', to: 'fr', translation: 'x' } as const;

let screen: Screen;
const { startRecording } = screenPage(() => screen);
beforeAll(() => page.viewport(1280, 800));
beforeEach(async () => {
  screen = await Screen.open();
  await openSettings();
});
afterEach(() => screen.close());

const find = (selector: string) => screen.find(`${SECTION} ${selector}`);
const field = (name: string) =>
  find(`[data-control=glossary-${name}]`) as HTMLInputElement | HTMLSelectElement;
const openSettings = () => userEvent.click(screen.find('[data-panel=settings]'));
const shown = () =>
  screen.all(`${SECTION} tbody tr`).map((row) => [row.dataset.from, row.dataset.to, ...cells(row)].join(' '));
const cells = (row: HTMLElement) => ['th', 'td[lang]'].map((cell) => row.querySelector(cell)?.textContent);
const status = () => find('[role=status]').textContent.replaceAll(/\s+/g, ' ').trim();

async function add(from: string, to: string, term: string, translation: string) {
  await userEvent.selectOptions(field('from'), from);
  await userEvent.selectOptions(field('to'), to);
  await userEvent.fill(field('term'), term);
  await userEvent.fill(field('translation'), translation);
  await userEvent.keyboard('{Enter}');
}

const csv = (content: BlobPart, name = 'terms.csv') => new File([content], name, { type: 'text/csv' });
const upload = (file: File) => userEvent.upload(field('file'), file);

describe('the glossary', () => {
  it('keeps what is added with the keyboard alone, and is ready for the next term', async () => {
    await add('en', 'fr', ' budget ', ' enveloppe ');
    expect(shown()).toEqual(['en fr budget enveloppe']);
    expect(status()).toBe('Added: budget → enveloppe');
    expect(document.activeElement).toBe(field('term'));
    expect([field('term').value, field('translation').value]).toEqual(['', '']);
    await add('en', 'zh', 'Lyon', '里昂');
    await screen.close();
    screen = await Screen.reopen();
    await openSettings();
    expect(shown()).toEqual(['en fr budget enveloppe', 'en zh Lyon 里昂']);
  });

  it('has one translation for a term in any case: the one that was added last', async () => {
    await add('en', 'fr', 'Budget', 'budget');
    await add('en', 'es', 'budget', 'presupuesto');
    await add('en', 'fr', 'budget', 'enveloppe');
    expect(shown()).toEqual(['en fr budget enveloppe', 'en es budget presupuesto']);
  });

  it('takes no empty term, and never asks for a translation into the same language', async () => {
    await add('en', 'fr', '  ', 'enveloppe');
    expect(shown()).toEqual([]);
    expect(document.activeElement).toBe(field('term'));
    await userEvent.selectOptions(field('from'), 'fr');
    expect(field('to').value).not.toBe('fr');
  });

  it('removes a term, and leaves the keyboard at the next one', async () => {
    for (const term of ['one', 'two', 'three']) screen.app.glossary.add({ ...pair, term });
    const buttons = () => screen.all(`${SECTION} [data-action=remove-term]`);
    await vi.waitFor(() => expect(buttons()).toHaveLength(3));
    expect(buttons().map(({ ariaLabel }) => ariaLabel)).toContain('Remove “two” (English → Français)');
    buttons()[1]!.focus();
    await userEvent.keyboard('{Enter}');
    expect(shown()).toEqual(['en fr one x', 'en fr three x']);
    await vi.waitFor(() => expect(document.activeElement).toBe(buttons()[1]));
    await userEvent.keyboard('{Enter}');
    await vi.waitFor(() => expect(document.activeElement).toBe(buttons()[0]));
    await userEvent.keyboard('{Enter}');
    await vi.waitFor(() => expect(document.activeElement).toBe(field('term')));
    expect(shown()).toEqual([]);
  });

  it('shows at once what another tab has changed', async () => {
    const stored = JSON.stringify([{ ...pair, term: 'elsewhere' }]);
    // As a browser does it: the other tab writes, this one is told.
    localStorage.setItem('unisono-glossary', stored);
    dispatchEvent(
      new StorageEvent('storage', { key: 'unisono-glossary', newValue: stored, storageArea: localStorage }),
    );
    await vi.waitFor(() => expect(shown()).toEqual(['en fr elsewhere x']));
  });

  it('loses nothing that another tab has added a moment ago', async () => {
    localStorage.setItem('unisono-glossary', JSON.stringify([{ ...pair, term: 'elsewhere' }]));
    await add('en', 'fr', 'here', 'ici');
    expect(shown()).toEqual(['en fr elsewhere x', 'en fr here ici']);
  });

  it('opens with what it understands, whatever is stored', async () => {
    await screen.close();
    const stored = [
      { ...pair, term: 'good' },
      { ...pair, term: 'Good' },
      { ...pair, to: 'tlh', term: 'bad' },
      null,
    ];
    localStorage.setItem('unisono-glossary', JSON.stringify(stored));
    screen = await Screen.reopen();
    await openSettings();
    expect(shown()).toEqual(['en fr good x']);
  });

  it('goes to the engine with what this tab reads, and again when it changes', async () => {
    await startRecording();
    screen.app.translations.choose('fr');
    const told = () => screen.views.at(-1)?.glossary.map(({ term }) => term);
    await vi.waitFor(() => expect(told()).toEqual([]));
    await openSettings();
    await add('en', 'fr', 'budget', 'enveloppe');
    await vi.waitFor(() => expect(told()).toEqual(['budget']));
  });
});

describe('a glossary as CSV', () => {
  it('is read, and each line that is wrong is named with its reason', async () => {
    await upload(
      csv('from,to,term,translation\nen,fr,budget,enveloppe\nen,de,a,b\nen,fr,lonely\nen,zh,Lyon,里昂\n'),
    );
    await vi.waitFor(() => expect(shown()).toEqual(['en fr budget enveloppe', 'en zh Lyon 里昂']));
    expect(status()).toMatch(/^Terms added or changed: 2. Lines left out: 2./);
    const lines = screen.all(`${SECTION} [data-line]`);
    expect(lines.map(({ dataset }) => dataset.problem)).toEqual(['language', 'columns']);
    expect(lines.map(({ textContent }) => textContent.trim())).toEqual([
      'Line 3: the language is not one of en, es, fr, zh.',
      'Line 4: four columns are needed (from, into, term, translation).',
    ]);
  });

  it('the same file again changes nothing, and says so', async () => {
    for (const count of [1, 0]) {
      await upload(csv('en,fr,budget,enveloppe'));
      await vi.waitFor(() => expect(status()).toBe(`Terms added or changed: ${count}.`));
    }
  });

  it('in another encoding is refused whole, so that no name comes in garbled', async () => {
    const latin1 = Uint8Array.from('en,fr,Noel,Noel\nen,fr,Zoe,Zo\xEB\n', (character) =>
      character.charCodeAt(0),
    );
    await upload(csv(latin1));
    await vi.waitFor(() => expect(status()).toContain('Line 2: this is no UTF-8 text'));
    expect(shown()).toEqual([]);
  });

  it('that is written is read back as it was', async () => {
    const entries = [
      { ...pair, term: 'R&D, "north"', translation: 'R&D; nord' },
      { ...pair, to: 'zh' as const, term: 'Lyon', translation: '里昂' },
    ];
    for (const entry of entries) screen.app.glossary.add(entry);
    let saved: Blob | undefined;
    let name = '';
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      name = this.download;
    });
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      saved = blob as Blob;
      return 'blob:';
    });
    await userEvent.click(find('[data-action=export-glossary]'));
    vi.restoreAllMocks();
    expect(name).toBe('unisono-glossary.csv');
    for (const entry of entries) screen.app.glossary.remove(entry);
    await upload(csv(saved!, name));
    await vi.waitFor(() => expect(screen.app.glossary.entries).toEqual(entries));
  });
});
