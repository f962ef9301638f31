import AxeBuilder from '@axe-core/playwright';
import { expect, knownAnswer, test } from './fixtures.ts';
import type { MeetingPage } from './meeting-page.ts';

const WIDTHS_PX = [360, 1280];
const SCHEMES = ['light', 'dark'] as const;

/** Checks the page as it stands in every colour scheme and at every width. */
async function expectNoViolations({ page }: MeetingPage, state: string): Promise<void> {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of WIDTHS_PX) {
      await page.setViewportSize({ width, height: 800 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
      expect(found, `${state}, ${colorScheme}, ${width} px`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `${state} at ${width} px is wider than the screen by`).toBeLessThanOrEqual(0);
    }
  }
}

test('axe finds nothing: at the start, in every panel, while recording, when finished', async ({
  openPage,
}) => {
  const heard = knownAnswer();
  const meeting = await openPage({ microphone: heard.audio });
  await meeting.open();
  await meeting.modelReady('whisper-tiny');
  await expectNoViolations(meeting, 'start');
  for (const panel of ['meetings', 'models', 'settings']) {
    await meeting.page.locator(`[data-panel=${panel}]`).click();
    await expect(meeting.page.locator('#panel')).toBeVisible();
    await expectNoViolations(meeting, panel);
    await meeting.page.keyboard.press('Escape');
  }

  await meeting.page.keyboard.press('r');
  await meeting.finalUntil(heard.spans[0]!.endMs);
  await expectNoViolations(meeting, 'recording');

  await meeting.stop();
  await expectNoViolations(meeting, 'finished');
});

test('a message about a failure has no axe violations either', async ({ openPage }) => {
  const meeting = await openPage({ microphone: 'denied' });
  await meeting.record();
  await expect(meeting.notice('microphone-denied')).toBeVisible();
  await expectNoViolations(meeting, 'microphone denied');
});
