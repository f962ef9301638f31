import { KNOWN_ANSWER } from '../support/audio.ts';
import { bareSite } from '../support/bare-site.ts';
import { errorRatePercent, score } from '../support/scoring.ts';
import { expect, knownAnswer, test } from './fixtures.ts';
import { MeetingPage } from './meeting-page.ts';
import { expectNoWordTakenBack, watchWords } from './watch-words.ts';

for (const asr of ['whisper-tiny', 'moonshine-tiny']) {
  test(`a person speaks and reads what was said, with ${asr}`, async ({ openPage }) => {
    const heard = knownAnswer();
    const page = await openPage({ microphone: heard.audio });
    const versions = await watchWords(page.page);
    await page.record({ language: 'en', asr });
    await page.finalUntil(heard.spans[0]!.endMs);
    await page.stop();

    const text = await page.text();
    expect(errorRatePercent(score(KNOWN_ANSWER.text, text, 'en')), text).toBe(0);
    expectNoWordTakenBack(await versions());
    for (const segment of await page.read()) {
      expect(segment.state).toBe('final');
      expect(segment.language).toBe('en');
      expect(segment.endMs).toBeGreaterThan(segment.startMs);
    }
  });
}

test('a recording chosen from disk is transcribed', async ({ openPage }) => {
  const page = await openPage();
  await page.open();
  await page.page.locator('input[data-control=file]').setInputFiles('public/known-answer.wav');
  await expect(page.segments.first()).toHaveAttribute('data-state', 'final');
  await page.inState('idle');
  await expect(page.page.locator('[data-finishing=false]')).toBeVisible();
  const text = await page.text();
  expect(errorRatePercent(score(KNOWN_ANSWER.text, text, 'en')), text).toBe(0);
});

test('a browser without Web Locks, BroadcastChannel and files of its own transcribes all the same, and says so', async ({
  launch,
  site,
}) => {
  const heard = knownAnswer();
  const bare = await bareSite(site);
  const context = await launch({ microphone: heard.audio, fresh: true, withoutServiceWorker: true });
  const page = new MeetingPage(await context.newPage(), bare.url);
  await page.open();
  await expect(page.notice('single-tab')).toBeVisible();
  await page.record({ language: 'en', asr: 'moonshine-tiny' });
  await expect(page.notice('memory-journal')).toBeVisible();
  await page.finalUntil(heard.spans[0]!.endMs);
  await page.stop();
  const text = await page.text();
  expect(errorRatePercent(score(KNOWN_ANSWER.text, text, 'en')), text).toBe(0);
  await bare.close();
});
