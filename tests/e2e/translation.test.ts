import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { playlist, readClip, sharedDir, spokenClips } from '../support/audio.ts';
import { expect, test } from './fixtures.ts';
import { MeetingPage } from './meeting-page.ts';

if (!sharedDir)
  console.log('Skipped: translation; the models of ../shared (or UNISONO_SHARED) are not there.');
test.skip(!sharedDir, 'needs the models of ../shared');

const LANGUAGES = ['en', 'es', 'fr', 'zh'] as const;
type Language = (typeof LANGUAGES)[number];

/** Sentences that the stand-in models know, by their number in the phrasebook and by language. */
const PHRASEBOOK: ReadonlyMap<number, Readonly<Record<Language, string>>> = new Map(
  sharedDir
    ? readFileSync(join(sharedDir, 'models/phrasebook.tsv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split('\t'))
        .map(([id, en = '', es = '', fr = '', zh = '']) => [Number(id), { en, es, fr, zh }])
    : [],
);
/** What `en/jfk.wav` says. */
const JFK = 2;

const translations = (page: Page) => page.locator('ol[role=log] [data-role=translation]');

const readTranslation = async (page: Page): Promise<string> =>
  (await translations(page).allInnerTexts()).join(' ').replace(/\s+/g, ' ').trim();

async function chooseTarget(page: Page, target: Language): Promise<void> {
  await page.locator('[data-control=target]').click();
  await page.locator(`:popover-open input[value=${target}]`).check();
  await page.keyboard.press('Escape');
}

test('real speech is read in the language of each tab while it is said, and in a third one afterwards', async ({
  launch,
  site,
}) => {
  const jfk = spokenClips('en').find(({ file }) => file === 'en/jfk.wav')!;
  const heard = playlist([readClip(jfk)]);
  const context = await launch({ microphone: heard.audio });
  const spanish = new MeetingPage(await context.newPage(), site.url);
  const french = new MeetingPage(await context.newPage(), site.url);
  await french.open('/?target=fr');
  await spanish.record({ language: 'en', asr: 'whisper-tiny', target: 'es' });
  await french.page.locator('[data-panel=meetings]').click();
  await french.page.locator('#panel li[data-live=elsewhere] .open').click();
  await spanish.finalUntil(heard.spans[0]!.endMs);
  // Read as two sentences, which happens, the second one is none that the models know.
  const said = PHRASEBOOK.get(JFK)!;
  await expect.poll(() => readTranslation(spanish.page), { timeout: 120_000 }).toContain(said.es);
  await expect.poll(() => readTranslation(french.page), { timeout: 120_000 }).toContain(said.fr);
  await expect(translations(spanish.page).first()).toHaveAttribute('lang', 'es');
  await expect(translations(french.page).first()).toHaveAttribute('lang', 'fr');

  await spanish.stop();
  await chooseTarget(spanish.page, 'zh');
  await expect.poll(() => readTranslation(spanish.page), { timeout: 120_000 }).toContain(said.zh);

  // Stored: the next visit has it without any model.
  await spanish.page.reload();
  await expect.poll(() => readTranslation(spanish.page)).toContain(said.zh);
});

/** A meeting as an earlier visit left it: each sentence said in each language, one segment each. */
async function leaveMeeting(page: Page, ids: readonly number[]): Promise<void> {
  const said = ids.flatMap((id) =>
    LANGUAGES.map((language) => ({ language, text: PHRASEBOOK.get(id)![language] })),
  );
  await page.evaluate(async (said) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('unisono');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error('no database'));
    });
    const transaction = database.transaction(['sessions', 'segments'], 'readwrite');
    const settings = { recognizer: 'auto', languages: ['en', 'es', 'fr', 'zh'], chineseScript: 'simplified' };
    transaction.objectStore('sessions').put({
      id: 'left',
      startedAtMs: Date.now(),
      durationMs: said.length * 1000,
      sources: [{ sourceId: 'one', kind: 'file', offsetMs: 0, name: '' }],
      settings,
      preview: '',
    });
    for (const [index, { language, text }] of said.entries()) {
      const words = language === 'zh' ? Array.from(text) : text.split(' ').map((word) => ` ${word}`);
      const segment = {
        id: `one-${index}`,
        sourceId: 'one',
        startMs: index * 1000,
        endMs: index * 1000 + 900,
        language,
        state: 'final',
        committed: words.map((word) => ({ text: word, startMs: null, endMs: null })),
        tentative: [],
        rev: 1,
        averageLogProbability: null,
        noSpeechProbability: null,
      };
      transaction.objectStore('segments').put({ sessionId: 'left', segment });
    }
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
  }, said);
}

test('a meeting in four languages is read in any of them: straight where a model leads there, else through English', async ({
  openPage,
}) => {
  const ids = [1, 3, 5];
  const meeting = await openPage();
  await meeting.open();
  await leaveMeeting(meeting.page, ids);
  await meeting.open();
  await expect(meeting.segments).toHaveCount(ids.length * LANGUAGES.length);
  for (const target of LANGUAGES) {
    await chooseTarget(meeting.page, target);
    const expected = ids.flatMap((id) =>
      LANGUAGES.map((language) =>
        language === target
          ? { language, text: null, via: null }
          : {
              language,
              text: PHRASEBOOK.get(id)![target],
              via: language === 'en' || target === 'en' ? null : 'en',
            },
      ),
    );
    await expect
      .poll(
        () =>
          meeting.segments.evaluateAll((items) =>
            items.map((item) => {
              const shown = item.querySelector<HTMLElement>('[data-role=translation]');
              return {
                language: (item as HTMLElement).dataset.language,
                text: shown?.innerText.replace(/\s+/g, ' ').trim() ?? null,
                via: shown?.dataset.via ?? null,
              };
            }),
          ),
        { message: `the meeting in ${target}`, timeout: 180_000 },
      )
      .toEqual(expected);
  }
});
