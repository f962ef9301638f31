import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { KNOWN_ANSWER, playlist, writeWav } from '../support/audio.ts';
import { RawBrowser, type RawTab } from '../support/raw-browser.ts';
import { errorRatePercent, score } from '../support/scoring.ts';
import { serveBuild, serveDeployments } from '../support/two-builds.ts';
import { expect, test } from './fixtures.ts';
import { MeetingPage, type ShownSegment } from './meeting-page.ts';

const ASR = 'whisper-tiny';
/** Reads the clip without an error every time; Whisper tiny now and then skips its first sentence, with or without a death. */
const STEADY_ASR = 'moonshine-tiny';
const TABS = 8;
/** What a recording's clock and a fake microphone's may differ by. */
const CLOCK_TOLERANCE_MS = 2000;
/** What is flushed each second may be lost by a crash; and what was said in it needs an end to be read. */
const LAST_SECOND_MS = 1000;

const repeated = (times: number) => playlist(Array.from({ length: times }, () => KNOWN_ANSWER.audio()));
const SPEECH = repeated(4);
const REFERENCE = Array.from({ length: 4 }, () => KNOWN_ANSWER.text).join(' ');
const lastEndMs = SPEECH.spans.at(-1)!.endMs;

/** Adds to a page's own workers a list of them, so that a test can end one. */
const listWorkers = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const workers: { name: string; worker: Worker }[] = [];
    Object.assign(globalThis, { workers });
    globalThis.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        workers.push({ name: options?.name ?? '', worker: this });
      }
    };
  });

const crash = async (page: Page): Promise<void> => {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // A page that has crashed answers no more.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
};

const DEATHS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'is closed': (page) => page.close(),
  'is loaded again': (page) => page.reload(),
  crashes: crash,
  'loses its engine worker': (page) =>
    page.evaluate(() => {
      const { workers } = globalThis as unknown as { workers: { name: string; worker: Worker }[] };
      for (const { name, worker } of workers) if (name === 'engine') worker.terminate();
    }),
};

const openTab = async (context: BrowserContext, url: string): Promise<MeetingPage> =>
  new MeetingPage(await context.newPage(), url);

function expectAllSaid(segments: readonly ShownSegment[], reference: string): void {
  const text = segments.map((segment) => segment.text).join(' ');
  expect(errorRatePercent(score(reference, text, 'en')), text).toBeLessThanOrEqual(1);
  expect(new Set(segments.map(({ id }) => id)).size, 'no segment comes twice').toBe(segments.length);
  for (const segment of segments) expect(segment.state).toBe('final');
}

for (const [happens, happen] of Object.entries(DEATHS)) {
  test(`no word is lost when the tab with the engine ${happens} in the middle of speech`, async ({
    launch,
    site,
  }) => {
    const context = await launch({ microphone: SPEECH.audio });
    const owner = await openTab(context, site.url);
    await listWorkers(owner.page);
    await owner.open();
    await owner.ownsEngine();
    const recorder = await openTab(context, site.url);
    await recorder.record({ asr: STEADY_ASR });
    await recorder.speakingAfter(SPEECH.spans[1]!.startMs - CLOCK_TOLERANCE_MS);

    await happen(owner.page);

    await recorder.finalUntil(lastEndMs);
    expect(await recorder.journalMs()).toBeGreaterThanOrEqual(lastEndMs - CLOCK_TOLERANCE_MS);
    await recorder.stop();
    expectAllSaid(await recorder.read(), REFERENCE);
  });
}

/** Driven without Playwright, whose pages cannot be frozen. */
test('no word is lost when the tab with the engine is frozen in the middle of speech', async ({
  visitedProfile,
  site,
}) => {
  const profile = await mkdtemp(join(tmpdir(), 'unisono-e2e-'));
  await cp(visitedProfile, profile, { recursive: true });
  const browser = RawBrowser.start(profile, [
    '--lang=en-US',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${writeWav(join(profile, 'microphone.wav'), SPEECH.audio)}%noloop`,
  ]);
  const read = (tab: RawTab): Promise<ShownSegment[]> =>
    tab.evaluate(`[...document.querySelectorAll('ol[role=log] > li[data-segment-id]')].map((item) => ({
      id: item.dataset.segmentId,
      startMs: Number(item.dataset.startMs),
      endMs: Number(item.dataset.endMs),
      language: item.dataset.language,
      state: item.dataset.state,
      text: item.querySelector('[data-role=original]').textContent.trim(),
    }))`);
  try {
    const owner = await browser.open(site.url);
    const hasEngine = `document.querySelector('[data-status=model]') !== null`;
    await expect.poll(() => owner.evaluate(hasEngine)).toBe(true);
    const recorder = await browser.open(
      `${site.url}/?${new URLSearchParams({ action: 'record', source: 'mic', language: 'en', asr: STEADY_ASR }).toString()}`,
    );
    await recorder.activate();
    const started = SPEECH.spans[1]!.startMs - CLOCK_TOLERANCE_MS;
    await expect
      .poll(
        async () => (await read(recorder)).some((one) => one.startMs >= started && one.state !== 'final'),
        { intervals: [50] },
      )
      .toBe(true);

    await owner.freeze();

    await expect
      .poll(
        async () => {
          const last = (await read(recorder)).at(-1);
          return last?.state === 'final' ? last.endMs : 0;
        },
        { timeout: 240_000 },
      )
      .toBeGreaterThanOrEqual(lastEndMs - CLOCK_TOLERANCE_MS);
    expectAllSaid(await read(recorder), REFERENCE);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
});

test('what was said until a second before the recording tab crashed is read by the next one', async ({
  launch,
  site,
}) => {
  const context = await launch({ microphone: SPEECH.audio });
  const recorder = await openTab(context, site.url);
  await recorder.record({ asr: STEADY_ASR });
  await recorder.speakingAfter(SPEECH.spans[2]!.startMs - CLOCK_TOLERANCE_MS);
  const shown = await recorder.read();
  await crash(recorder.page);

  const next = await openTab(context, site.url);
  await next.open();
  await next.page.locator('[data-panel=meetings]').click();
  const meeting = next.page.locator('#panel li[data-session-id]');
  await expect(meeting).toHaveCount(1);
  await expect(meeting).not.toHaveAttribute('data-live');
  await meeting.locator('.open').click();
  await expect.poll(async () => (await next.read()).length).toBeGreaterThan(0);

  const recovered = await next.read();
  expect(recovered.at(-1)!.endMs).toBeGreaterThanOrEqual(shown.at(-1)!.endMs - LAST_SECOND_MS);
  const complete = recovered.filter(({ endMs }) => endMs < SPEECH.spans[2]!.startMs);
  expectAllSaid(complete, `${KNOWN_ANSWER.text} ${KNOWN_ANSWER.text}`);
  await expect(next.page.locator('li[data-segment-id][data-recovered=true]').first()).toBeVisible();
});

test('two tabs record at once, and one engine reads both', async ({ launch, site }) => {
  const context = await launch({ microphone: SPEECH.audio });
  const [first, second] = [await openTab(context, site.url), await openTab(context, site.url)];
  await first.record({ asr: ASR });
  await first.inState('recording');
  await second.record({ asr: ASR });
  await first.finalUntil(lastEndMs);
  await expect.poll(() => first.fact('loads')).toEqual([expect.stringContaining('Whisper tiny')]);
  await first.stop();
  await second.stop();
  expectAllSaid(await first.read(), REFERENCE);
  // It may have begun to listen in the middle of a sentence.
  const [lastOfSecond] = (await second.read()).slice(-1);
  expect(errorRatePercent(score(KNOWN_ANSWER.text, lastOfSecond!.text, 'en')), lastOfSecond!.text).toBe(0);
});

test(`${TABS} tabs opened at once share one engine that loads its model once`, async ({ launch, site }) => {
  const context = await launch({ microphone: SPEECH.audio });
  const first = await openTab(context, site.url);
  const others = await Promise.all(Array.from({ length: TABS - 1 }, () => openTab(context, site.url)));
  await Promise.all([first.record({ asr: ASR }), ...others.map((tab) => tab.open())]);
  for (const tab of [first, ...others]) await tab.modelReady(ASR);
  await expect.poll(() => first.fact('loads')).toEqual([expect.stringContaining('Whisper tiny')]);
  await expect
    .poll(async () => Number((await first.fact('clients'))[0]), { message: 'threads that are served' })
    .toBeGreaterThanOrEqual(TABS);
});

test('a new build joins a running meeting, takes over when it is over, and another protocol says so', async ({
  launch,
  site,
}) => {
  test.setTimeout(600_000);
  const newer = await serveBuild('newer', { UNISONO_BUILD: String(Date.now() + 60_000) });
  const foreign = await serveBuild('foreign', { UNISONO_PROTOCOL: '2' });
  const deployments = await serveDeployments(site);
  try {
    const context = await launch({ microphone: SPEECH.audio, fresh: true, withoutServiceWorker: true });
    const old = await openTab(context, deployments.url);
    await old.record({ asr: ASR });
    await old.ownsEngine();

    deployments.deploy(newer);
    const next = await openTab(context, deployments.url);
    await next.open();
    await next.showTabs();
    await expect(next.page.locator('#panel [data-tab][data-self=false][data-owner=true]')).toBeVisible();
    await old.finalUntil(lastEndMs);
    await old.stop();
    expectAllSaid(await old.read(), REFERENCE);
    await next.ownsEngine();

    // A tab that does not record would load the other build at once.
    await old.record({ asr: ASR });
    await old.inState('recording');
    deployments.deploy(foreign);
    const other = await openTab(context, deployments.url);
    await other.open();
    await expect(other.notice('other-protocol')).toBeVisible();
    await old.inState('recording');
  } finally {
    await deployments.close();
    await newer.kill();
    await foreign.kill();
  }
});
