import { KNOWN_ANSWER } from '../support/audio.ts';
import { errorRatePercent, score } from '../support/scoring.ts';
import { countRequests, serveSite } from '../support/site.ts';
import { expect, knownAnswer, test } from './fixtures.ts';
import { MeetingPage } from './meeting-page.ts';

/** Records the clip of known text on this page; it must be read without error. */
async function readKnownAnswer(page: MeetingPage): Promise<void> {
  await page.record({ language: 'en', asr: 'whisper-tiny' });
  await page.finalUntil(knownAnswer().spans[0]!.endMs);
  await page.stop();
  const text = await page.text();
  expect(errorRatePercent(score(KNOWN_ANSWER.text, text, 'en')), JSON.stringify(await page.read())).toBe(0);
  await page.page.close();
}

const isWeight = (path: string) => path.startsWith('/models/') && path.includes('.onnx');

test('after one visit weights are not fetched again, and then the app needs no server at all', async ({
  launch,
}) => {
  const site = await serveSite();
  const counter = await countRequests(site);
  const context = await launch({ microphone: knownAnswer().audio, fresh: true });
  const newPage = async () => new MeetingPage(await context.newPage(), counter.url);

  await test.step('the first visit fetches the weights', async () => {
    await readKnownAnswer(await newPage());
    expect(counter.paths.filter(isWeight).length).toBeGreaterThan(0);
  });

  await test.step('the second visit fetches none', async () => {
    counter.paths.length = 0;
    await readKnownAnswer(await newPage());
    expect(counter.paths.filter(isWeight)).toEqual([]);
  });

  await test.step('with the server process gone the page opens and transcribes', async () => {
    await site.kill();
    await counter.close();
    await expect(fetch(counter.url)).rejects.toThrow();
    await readKnownAnswer(await newPage());
  });
});

test('a host that cannot send headers: the service worker makes the page cross-origin isolated', async ({
  launch,
}) => {
  const site = await serveSite(false);
  try {
    const response = await fetch(site.url);
    expect(response.headers.get('cross-origin-opener-policy')).toBeNull();
    const page = new MeetingPage(await (await launch({ fresh: true })).newPage(), site.url);
    await page.open();
    await page.page.waitForFunction(() => crossOriginIsolated);
  } finally {
    await site.kill();
  }
});

test('the first recording may be made without a server: speech is found by the best detector', async ({
  launch,
}) => {
  const site = await serveSite();
  const counter = await countRequests(site);
  const context = await launch({ microphone: knownAnswer().audio, fresh: true });
  const first = new MeetingPage(await context.newPage(), counter.url);
  await first.open();
  await first.modelReady('whisper-tiny');
  await expect.poll(() => counter.paths.filter((path) => path.includes('silero')).length).toBe(2);
  await first.page.reload();
  await first.modelReady('whisper-tiny');
  await site.kill();
  await counter.close();

  const page = new MeetingPage(await context.newPage(), counter.url);
  await page.record({ language: 'en', asr: 'whisper-tiny' });
  await page.finalUntil(knownAnswer().spans[0]!.endMs);
  await page.stop();
  await expect(page.page.locator('[data-status=vad]')).toHaveCount(0);
});
