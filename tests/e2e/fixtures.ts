import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, chromium, type BrowserContext } from '@playwright/test';
import { chromiumPath } from '../../scripts/chromium.mjs';
import { KNOWN_ANSWER, playlist, writeWav } from '../support/audio.ts';
import { serveSite, type Site } from '../support/site.ts';
import { startTestHub } from '../support/test-hub.ts';
import type { Audio } from '../support/wav.ts';
import { MeetingPage } from './meeting-page.ts';

export { expect } from '@playwright/test';

interface BrowserOptions {
  /** What the microphone hears from the moment it is opened, once; or that the user refuses it. */
  readonly microphone?: Audio | 'denied';
  /** A browser that has never seen the app, instead of one that has its models. */
  readonly fresh?: boolean;
  /** Pages come from the server each time, and not from what an earlier visit left. */
  readonly withoutServiceWorker?: boolean;
}

interface TestFixtures {
  /** Starts a Chromium with a profile of its own; closed after the test. */
  launch: (options?: BrowserOptions) => Promise<BrowserContext>;
  /** {@link launch} and one page at the site; nothing is opened on it yet. */
  openPage: (options?: BrowserOptions) => Promise<MeetingPage>;
}

interface WorkerFixtures {
  site: Site;
  /** A profile that has visited the site: the models are there, tested on this device. */
  visitedProfile: string;
}

/** What the microphone of {@link BrowserOptions} hears: the clip of known text. */
export const knownAnswer = () => playlist([KNOWN_ANSWER.audio()]);

/** Ends a click on what never appears, and names it, long before the test's own limit. */
const ACTION_TIMEOUT_MS = 60_000;

const temporaryFolder = () => mkdtemp(join(tmpdir(), 'unisono-e2e-'));

async function startChromium(
  profile: string,
  microphone: Audio | 'denied' | undefined,
  serviceWorkers: 'allow' | 'block' = 'allow',
) {
  const hears =
    microphone && microphone !== 'denied'
      ? [`--use-file-for-fake-audio-capture=${writeWav(join(profile, 'microphone.wav'), microphone)}%noloop`]
      : [];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    locale: 'en-US',
    serviceWorkers,
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      `--use-fake-ui-for-media-stream${microphone === 'denied' ? '=deny' : ''}`,
      ...hears,
    ],
  });
  context.setDefaultTimeout(ACTION_TIMEOUT_MS);
  return context;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  site: [
    // Playwright finds out by the pattern that this fixture needs no other one.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const hub = await startTestHub();
      const site = await serveSite(true, 'dist-test', hub.url);
      await use(site);
      await site.kill();
      await hub.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  visitedProfile: [
    async ({ site }, use) => {
      const profile = await temporaryFolder();
      const context = await startChromium(profile, 'denied');
      const meeting = new MeetingPage(await context.newPage(), site.url);
      for (const asr of ['moonshine-tiny', 'whisper-tiny']) {
        await meeting.record({ language: 'en', asr });
        await meeting.modelReady(asr);
      }
      await context.close();
      await use(profile);
      await rm(profile, { recursive: true, force: true });
    },
    { scope: 'worker', timeout: 300_000 },
  ],

  launch: async ({ visitedProfile }, use) => {
    const opened: { context: BrowserContext; profile: string }[] = [];
    await use(async ({ microphone, fresh = false, withoutServiceWorker = false } = {}) => {
      const profile = await temporaryFolder();
      if (!fresh) await cp(visitedProfile, profile, { recursive: true });
      const context = await startChromium(profile, microphone, withoutServiceWorker ? 'block' : 'allow');
      opened.push({ context, profile });
      return context;
    });
    for (const { context, profile } of opened) {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    }
  },

  openPage: async ({ launch, site }, use) => {
    await use(async (options) => new MeetingPage(await (await launch(options)).newPage(), site.url));
  },
});
