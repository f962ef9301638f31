import { beforeEach, describe, expect, test } from 'vitest';
import { UnisonoError } from '@core/protocol/errors.ts';
import { newTabId } from '@core/protocol/ids.ts';
import type { Language, Segment } from '@core/transcript/types.ts';
import { glossaryKey } from '@core/translation/glossary.ts';
import type { GlossaryEntry, SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import type { EngineClient } from '@workers/engine/client.ts';
import { Translations } from '@workers/engine/translations.ts';
import { segment, SESSION, TAB, words } from '../support/segments.ts';
import { translators, type Answer } from '../support/translators.ts';
import { settled } from '../support/virtual-clock.ts';

/** Words that are no longer those of the source. */
const invented = (text: string, language: string): string =>
  text.replace(/\p{Ll}+/gu, (word) => word + language);
const inventing: Answer = (text, model) => invented(text, model.slice(-2));

/** A disk as the engine sees it. */
class TestStore {
  readonly said: Segment[] = [];
  readonly kept: SegmentTranslation[] = [];
  error: UnisonoError | null = null;
  tried = 0;

  async isRecorded(): Promise<boolean> {
    return false;
  }

  async segments(): Promise<readonly Segment[]> {
    return this.said;
  }

  async translations(_: unknown, target: Language): Promise<readonly SegmentTranslation[]> {
    return this.kept.filter((translation) => translation.target === target);
  }

  async putTranslation(translation: SegmentTranslation): Promise<void> {
    this.tried += 1;
    if (this.error) throw this.error;
    const { segmentId, target } = translation;
    const at = this.kept.findIndex((one) => one.segmentId === segmentId && one.target === target);
    if (at < 0) this.kept.push(translation);
    else this.kept[at] = translation;
  }
}

let store: TestStore;
let shown: SegmentTranslation[];
let troubles: string[];

beforeEach(() => {
  store = new TestStore();
  shown = [];
  troubles = [];
});

function begin(answer: Answer = inventing, script: Parameters<typeof translators>[1] = {}) {
  const parts = translators(answer, script);
  const { sentences } = parts;
  const translations = new Translations({
    store,
    translate: (request) => sentences.translate(request),
    askAnew: (direction) => sentences.askAnew(direction),
    publish: ({ translation }) => shown.push(translation),
    notStored: ({ code }) => troubles.push(code),
    fenced: ({ code }) => troubles.push(`fenced by ${code}`),
  });
  parts.onReady.push(() => translations.retryHeld());
  return {
    ...parts,
    translations,
    open: () => translations.observe({ type: 'session', sessionId: SESSION, tab: newTabId(), state: 'open' }),
    hear: (spoken: Segment) =>
      translations.observe({
        type: spoken.state === 'final' ? 'segment' : 'partial',
        sessionId: SESSION,
        segment: spoken,
      }),
  };
}

/** Answers that the test gives, one after the other. */
function byHand() {
  const waiting: (Deferred<string> & { text: string; model: string })[] = [];
  const answer: Answer = (text, model) => {
    const made = deferred<string>();
    waiting.push({ ...made, text, model });
    return made.promise;
  };
  const next = async (): Promise<string> => {
    await quiet();
    const call = waiting.shift()!;
    call.resolve(invented(call.text, call.model.slice(-2)));
    await quiet();
    return call.text;
  };
  return { answer, waiting, next };
}

const reader = (): EngineClient => ({ tab: newTabId(), address: 'page', acknowledged: () => undefined });
const view = (target: Language, glossary: readonly GlossaryEntry[] = []): TranslationView => ({
  sessionId: SESSION,
  target,
  glossary,
});
const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await settled();
};
const lines = (): string[] =>
  shown.map(({ target, units }) => `${target}: ${units.map(({ translation }) => translation).join(' | ')}`);
const partial = (startMs: number, text: string, tentative = '', change: Partial<Segment> = {}): Segment =>
  segment(startMs, text, {
    state: 'committed',
    tentative: tentative ? words(tentative) : [],
    ...change,
  });
const translated = (of: Segment, change: Partial<SegmentTranslation> = {}): SegmentTranslation => ({
  sessionId: SESSION,
  segmentId: of.id,
  target: 'es',
  units: [{ from: 0, to: of.committed.length, text: 'Said before.', translation: 'Dicho antes.' }],
  complete: true,
  glossary: '',
  ...change,
});

describe('what is said now', () => {
  test('is translated once for each language that somebody reads', async () => {
    const { translations, open, hear, asked } = begin();
    open();
    for (const target of ['es', 'fr', 'es', 'en'] as const) translations.setView(reader(), view(target));
    hear(segment(0, 'Good morning.'));
    await quiet();
    expect(asked).toEqual(['en-es Good morning.', 'en-fr Good morning.']);
    expect(lines()).toEqual(['es: Goodes morninges.', 'fr: Goodfr morningfr.']);
    expect(store.kept).toEqual(shown);
  });

  test('goes through English once, also for who reads English', async () => {
    const { translations, open, hear, asked } = begin();
    open();
    for (const target of ['en', 'fr'] as const) translations.setView(reader(), view(target));
    hear(segment(0, 'Buenos días.', { language: 'es' }));
    await quiet();
    expect(asked).toEqual(['es-en Buenos días.', `en-fr ${invented('Buenos días.', 'en')}`]);
    expect(shown.map(({ via }) => via)).toEqual([undefined, 'en']);
  });

  test('is not translated while it can still change', async () => {
    const { translations, open, hear, asked } = begin();
    open();
    translations.setView(reader(), view('es'));
    hear(partial(0, 'Good morning. We begin', ' with the budget.', { rev: 1 }));
    await quiet();
    expect(asked).toEqual(['en-es Good morning.']);
    expect(shown).toMatchObject([{ complete: false, units: [{ from: 0, to: 2 }] }]);
    hear(partial(0, 'Good morning. We begin with the', ' bucket.', { rev: 2 }));
    await quiet();
    expect(asked).toHaveLength(1);
    expect(shown).toHaveLength(1);
    hear(segment(0, 'Good morning. We begin with the budget.', { rev: 3 }));
    await quiet();
    expect(asked).toEqual(['en-es Good morning.', 'en-es We begin with the budget.']);
    expect(lines().at(-1)).toBe(`es: Goodes morninges. | ${invented('We begin with the budget.', 'es')}`);
    expect(shown.at(-1)?.complete).toBe(true);
  });

  test('is complete once its last word is, even if nothing is left to translate', async () => {
    const { translations, open, hear } = begin();
    open();
    translations.setView(reader(), view('es'));
    hear(partial(0, 'Good morning. We', '', { rev: 1 }));
    await quiet();
    hear(segment(0, 'Good morning.', { rev: 2 }));
    await quiet();
    expect(shown.map(({ complete }) => complete)).toEqual([false, true]);
  });

  test('is translated again where another engine has read it differently, and nowhere else', async () => {
    const { translations, open, hear, asked } = begin();
    open();
    translations.setView(reader(), view('es'));
    hear(partial(0, 'Good morning. It is ten o’clock. We', '', { rev: 1 }));
    await quiet();
    hear(segment(0, 'Good morning. It is two o’clock.', { rev: 2 }));
    await quiet();
    expect(asked).toEqual(['en-es Good morning.', 'en-es It is ten o’clock.', 'en-es It is two o’clock.']);
    expect(lines().at(-1)).toBe(`es: Goodes morninges. | ${invented('It is two o’clock.', 'es')}`);
  });

  test('keeps its lines while another engine reads it again, until its words are final', async () => {
    const { translations, open, hear } = begin();
    open();
    translations.setView(reader(), view('es'));
    hear(segment(0, 'Good morning. And welcome.', { rev: 1 }));
    await quiet();
    const before = shown.length;
    hear(partial(0, 'Good evening. And', '', { rev: 2 }));
    await quiet();
    expect(shown).toHaveLength(before);
    hear(segment(0, 'Good evening. And welcome.', { rev: 3 }));
    await quiet();
    expect(lines().at(-1)).toBe('es: Goodes eveninges. | Andes welcomees.');
  });

  test('comes in the order it was said, one sentence at a time', async () => {
    const { answer, next, waiting } = byHand();
    const { translations, open, hear, scheduler } = begin(answer);
    open();
    translations.setView(reader(), view('es'));
    for (const [index, text] of ['One word.', 'Two words.', 'Three words.'].entries())
      hear(segment(index * 3000, text));
    await quiet();
    expect(waiting).toHaveLength(1);
    expect(scheduler.waiting).toBe(0);
    expect([await next(), await next(), await next()]).toEqual(['One word.', 'Two words.', 'Three words.']);
  });

  test('is followed when the model comes late: what is far behind comes last', async () => {
    const { answer, next } = byHand();
    const { translations, open, hear } = begin(answer);
    open();
    translations.setView(reader(), view('es'));
    const said = Array.from({ length: 12 }, (_, index) => `Sentence ${index}.`);
    for (const [index, text] of said.entries()) hear(segment(index * 3000, text));
    const order: string[] = [];
    while (order.length < said.length) order.push(await next());
    expect(order).toEqual([said[0], ...said.slice(4), said[3], said[2], said[1]]);
  });

  test('that turned out to be no words is translated no more', async () => {
    const { answer, next, waiting } = byHand();
    const { translations, open, hear } = begin(answer);
    open();
    translations.setView(reader(), view('es'));
    const noise = partial(0, 'Thank you. Thank you. You', '', { rev: 1 });
    hear(noise);
    await quiet();
    translations.observe({
      type: 'segment-dropped',
      sessionId: SESSION,
      segmentId: noise.id,
      rev: 2,
      reason: 'hallucination',
    });
    await next();
    translations.setView(reader(), view('fr'));
    await quiet();
    expect(waiting).toEqual([]);
    expect(shown).toEqual([]);
    expect(store.kept).toEqual([]);
  });

  test('in the language that is read, or in none that is known, stays as it is', async () => {
    const { translations, open, hear, asked } = begin();
    open();
    translations.setView(reader(), view('en'));
    hear(segment(0, 'Good morning.'));
    hear(segment(3000, 'Mm. Hm.', { language: null }));
    await quiet();
    expect(asked).toEqual([]);
    expect(shown).toEqual([]);
  });

  test('stays as it is where the model has no answer, and says so', async () => {
    const { translations, open, hear } = begin(() => '');
    open();
    translations.setView(reader(), view('es'));
    hear(segment(0, 'Good morning.'));
    await quiet();
    expect(shown).toMatchObject([
      { complete: true, units: [{ translation: 'Good morning.', flaw: 'degenerate' }] },
    ]);
  });
});

describe('what was said before', () => {
  test('comes the newest first, and what is said meanwhile comes before it', async () => {
    store.said.push(segment(0, 'Said first.'), segment(6000, 'Said last.'), segment(3000, 'Said next.'));
    const { answer, next } = byHand();
    const { translations, open, hear } = begin(answer);
    open();
    translations.setView(reader(), view('es'));
    expect(await next()).toBe('Said last.');
    hear(segment(9000, 'Said now.'));
    hear(segment(12000, 'And now.'));
    const order = [await next(), await next(), await next(), await next()];
    expect(order).toEqual(['Said next.', 'Said now.', 'And now.', 'Said first.']);
  });

  test('gives way to speech that is to be read, and comes after it', async () => {
    store.said.push(segment(0, 'Said first.'));
    const { answer, next, waiting } = byHand();
    const { translations, registry, scheduler } = begin(answer);
    const { lane } = (await registry.ready('opus-mt-en-es')).runtime;
    translations.setView(reader(), view('es'));
    await quiet();
    const final = deferred<void>();
    void scheduler.submit(
      { lane, session: 'other', priority: 'final', run: () => final.promise },
      new AbortController().signal,
    ).result;
    await quiet();
    final.resolve();
    await quiet();
    expect(waiting.map(({ text }) => text)).toEqual(['Said first.', 'Said first.']);
    waiting.shift();
    await next();
    expect(lines()).toEqual([`es: ${invented('Said first.', 'es')}`]);
  });

  test('and not stored yet is not left out', async () => {
    const { translations, open, hear } = begin();
    open();
    hear(segment(0, 'Still waiting for the disk.'));
    const stored = segment(3000, 'Stored meanwhile.');
    hear(stored);
    store.said.push(stored);
    translations.stored({ sessionId: SESSION, segmentId: stored.id });
    translations.setView(reader(), view('es'));
    await quiet();
    expect(shown.map(({ segmentId }) => segmentId).sort()).toEqual([segment(0, '').id, stored.id].sort());
  });

  test('and translated is not translated again, but for what is missing', async () => {
    const [whole, half] = [segment(0, 'Said before.'), segment(3000, 'Said before. And this.')];
    store.said.push(whole, half);
    const unit = { from: 0, to: 2, text: 'Said before.', translation: 'Dicho antes.' };
    store.kept.push(translated(whole), translated(half, { units: [unit], complete: false }));
    const { translations, asked } = begin();
    translations.setView(reader(), view('es'));
    await quiet();
    expect(asked).toEqual(['en-es And this.']);
    expect(lines()).toEqual(['es: Dicho antes. | Andes thises.']);
  });

  test('is translated again for another glossary that has to do with it; its lines stay until then', async () => {
    const [about, other] = [segment(3000, 'Said before. The board.'), segment(0, 'Said before.')];
    store.said.push(about, other);
    store.kept.push(
      translated(other),
      translated(about, {
        units: [
          { from: 0, to: 2, text: 'Said before.', translation: 'Dicho antes.' },
          { from: 2, to: 4, text: 'The board.', translation: 'La junta.' },
        ],
      }),
    );
    const board: GlossaryEntry = { from: 'en', to: 'es', term: 'board', translation: 'consejo' };
    const { translations, asked } = begin((text) =>
      text.replace('The', 'El').replace('Said before', 'Se dijo'),
    );
    translations.setView(reader(), view('es', [board]));
    await quiet();
    expect(asked).toEqual(['en-es Said before.', 'en-es The board.']);
    expect(lines()).toEqual(['es: Se dijo. | La junta.', 'es: Se dijo. | El consejo.']);
    expect(shown.map(({ glossary, complete }) => [glossary, complete])).toEqual([
      ['', false],
      [glossaryKey([board]), true],
    ]);
    // Told again, as by another tab.
    translations.setView(reader(), view('es', [board]));
    await quiet();
    expect(asked).toHaveLength(2);
  });
});

describe('a view', () => {
  const three = [segment(0, 'Said first.'), segment(3000, 'Said next.'), segment(6000, 'Said last.')];

  test('that ends with its tab ends the work for it', async () => {
    store.said.push(...three);
    const { answer, next, waiting } = byHand();
    const { translations } = begin(answer);
    const client = reader();
    translations.setView(client, view('es'));
    await next();
    translations.clientGone(client);
    await quiet();
    waiting.shift();
    await quiet();
    expect(waiting).toEqual([]);
    expect(shown).toHaveLength(1);
  });

  test('that ends does not end what another tab reads', async () => {
    store.said.push(...three);
    const { answer, next, waiting } = byHand();
    const { translations } = begin(answer);
    const [one, other] = [reader(), reader()];
    translations.setView(one, view('es'));
    translations.setView(other, view('es'));
    await next();
    translations.setView(one, view('fr'));
    await quiet();
    translations.setView(one, null);
    while (waiting.length > 0) await next();
    expect(lines().filter((line) => line.startsWith('es'))).toHaveLength(3);
  });

  test('of another glossary holds for all who read that language', async () => {
    const { translations, open, hear } = begin((text) =>
      text.replace('The', 'El').replace('meets', 'se reúne'),
    );
    open();
    const board: GlossaryEntry = { from: 'en', to: 'es', term: 'board', translation: 'consejo' };
    translations.setView(reader(), view('es'));
    translations.setView(reader(), view('es', [board]));
    hear(segment(0, 'The board meets.'));
    await quiet();
    expect(lines()).toEqual(['es: El consejo se reúne.']);
  });

  test('tells which models an open meeting needs', async () => {
    const { translations, open, hear } = begin();
    open();
    const client = reader();
    translations.setView(client, view('es'));
    expect(translations.directions()).toEqual([]);
    hear(segment(0, 'Good morning.'));
    hear(segment(3000, 'Bonjour.', { language: 'fr', sourceId: TAB }));
    await quiet();
    expect(translations.directions()).toEqual([
      { from: 'en', to: 'es' },
      { from: 'fr', to: 'es' },
    ]);
    translations.observe({ type: 'session', sessionId: SESSION, tab: newTabId(), state: 'closed' });
    expect(translations.directions()).toEqual([]);
  });
});

describe('where no model is to be had', () => {
  test('sentences wait, nothing is tried over and over, and they come when the view is told again', async () => {
    let offline = true;
    const { translations, open, hear, inference, installed, asked } = begin(inventing, {
      load: async (model) => {
        if (offline && model === 'opus-mt-en-fr')
          throw new UnisonoError('model-missing-offline', 'no network');
      },
    });
    installed.add('opus-mt-es-fr');
    open();
    const client = reader();
    translations.setView(client, view('fr'));
    hear(segment(0, 'Good morning.'));
    await quiet();
    const tries = inference.loads.length;
    hear(segment(3000, 'And welcome.'));
    await quiet();
    expect(inference.loads).toHaveLength(tries);
    // Another language is not kept waiting by it.
    hear(segment(6000, 'Buenos días.', { language: 'es' }));
    await quiet();
    expect(asked).toEqual(['es-fr Buenos días.']);
    offline = false;
    translations.setView(client, view('fr'));
    await quiet();
    expect(asked).toEqual(['es-fr Buenos días.', 'en-fr Good morning.', 'en-fr And welcome.']);
    expect(shown).toHaveLength(3);
  });

  test('sentences come as soon as somebody has got the model', async () => {
    let offline = true;
    const { translations, open, hear, registry } = begin(inventing, {
      load: async () => {
        if (offline) throw new UnisonoError('model-missing-offline', 'no network');
      },
    });
    open();
    translations.setView(reader(), view('es'));
    hear(segment(0, 'Good morning.'));
    await quiet();
    expect(shown).toEqual([]);
    offline = false;
    await registry.prepare('opus-mt-en-es');
    await quiet();
    expect(lines()).toEqual(['es: Goodes morninges.']);
  });
});

test('a sentence on which the model fails stays as it is, and those behind it are translated', async () => {
  const { translations, open, hear, asked, registry } = begin((text, model, careful) => {
    if (text.startsWith('Fatal')) throw new UnisonoError('model-failed', 'out of bounds');
    return inventing(text, model, careful);
  });
  open();
  translations.setView(reader(), view('es'));
  translations.setView(reader(), view('fr'));
  hear(segment(0, 'Fatal words.'));
  hear(segment(3000, 'And welcome.'));
  await quiet();
  expect(lines()).toContain('es: Fatal words.');
  expect(lines()).toContain('es: Andes welcomees.');
  expect(shown.find(({ target }) => target === 'es')?.units).toMatchObject([{ flaw: 'degenerate' }]);
  expect(asked.filter((call) => call === 'en-es Fatal words.')).toHaveLength(2);
  expect(asked.filter((call) => call.startsWith('en-es! '))).toEqual([]);
  expect(registry.status('opus-mt-en-es').state).toBe('ready');
});

describe('a disk that takes no translations', () => {
  test('is told of once, and the lines are shown all the same and kept once there is room', async () => {
    store.error = new UnisonoError('storage-full', 'no room');
    const { translations, open, hear } = begin();
    open();
    translations.setView(reader(), view('es'));
    for (const startMs of [0, 3000, 6000]) hear(segment(startMs, `Good morning number ${startMs}.`));
    await quiet();
    expect(shown).toHaveLength(3);
    expect(troubles).toEqual(['storage-full']);
    store.error = null;
    hear(segment(9000, 'Good evening.'));
    await quiet();
    expect(store.kept).toHaveLength(4);
  });

  test('because another engine owns the device ends this one', async () => {
    store.error = new UnisonoError('engine-changed', 'another owns the device');
    const { translations, open, hear } = begin();
    open();
    translations.setView(reader(), view('es'));
    hear(segment(0, 'Good morning.'));
    await quiet();
    expect(troubles).toEqual(['fenced by engine-changed']);
  });
});

test('an engine that has ended translates, shows and stores nothing more', async () => {
  store.said.push(segment(0, 'Said before.'));
  const { answer, waiting } = byHand();
  const { translations, open, hear } = begin(answer);
  open();
  translations.setView(reader(), view('es'));
  await quiet();
  translations.close();
  waiting.shift()!.resolve('Se dijo antes.');
  hear(segment(3000, 'Said now.'));
  translations.setView(reader(), view('fr'));
  await quiet();
  expect(waiting).toEqual([]);
  expect(shown).toEqual([]);
  expect(store.tried).toBe(0);
});
