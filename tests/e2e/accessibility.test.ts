import AxeBuilder from '@axe-core/playwright';
import { expect, knownAnswer, test } from './fixtures.ts';
import type { MeetingPage } from './meeting-page.ts';

const WIDTHS_PX = [360, 1280];
const SCHEMES = ['light', 'dark'] as const;

/**
 * The transcript is an `ol[role=log]`: a documented surface. ARIA in HTML does not list `log` for `ol`,
 * which axe notes as a best practice; screen readers take the role, and the items carry `role=none`.
 */
const isLogList = (rule: string, html: string) =>
  rule === 'aria-allowed-role' && html.startsWith('<ol role="log"');

/** What is wrong with the page as it stands, in every colour scheme and at every width. */
async function violationsOf({ page }: MeetingPage, state: string): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of WIDTHS_PX) {
      await page.setViewportSize({ width, height: 800 });
      const where = `${state}, ${colorScheme}, ${width} px`;
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const { id, nodes } of violations)
        found.push(
          ...nodes
            .filter(({ html }) => !isLogList(id, html))
            .map(({ html, failureSummary }) => `${where}: ${id}: ${html} ${failureSummary}`),
        );
      const overflowPx = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (overflowPx > 0) found.push(`${where}: ${overflowPx} px wider than the screen`);
    }
  }
  return found;
}

test('axe finds nothing: at the start, in every panel, while recording, in the captions, when finished', async ({
  openPage,
}) => {
  const heard = knownAnswer();
  const meeting = await openPage({ microphone: heard.audio });
  await meeting.open();
  await meeting.modelReady('whisper-tiny');
  const found = await violationsOf(meeting, 'start');
  for (const panel of ['meetings', 'models', 'settings']) {
    await meeting.page.locator(`[data-panel=${panel}]`).click();
    await expect(meeting.page.locator('#panel')).toBeVisible();
    found.push(...(await violationsOf(meeting, panel)));
    await meeting.page.keyboard.press('Escape');
  }

  await meeting.page.keyboard.press('r');
  await meeting.finalUntil(heard.spans[0]!.endMs);
  found.push(...(await violationsOf(meeting, 'recording')));
  await meeting.page.keyboard.press('c');
  await expect(meeting.page.locator('[data-view=captions]')).toBeVisible();
  found.push(...(await violationsOf(meeting, 'captions')));
  await meeting.page.keyboard.press('Escape');

  await meeting.stop();
  found.push(...(await violationsOf(meeting, 'finished')));
  expect(found).toEqual([]);
});

test('a message about a failure has no axe violations either', async ({ openPage }) => {
  const meeting = await openPage({ microphone: 'denied' });
  await meeting.record();
  await expect(meeting.notice('microphone-denied')).toBeVisible();
  expect(await violationsOf(meeting, 'microphone denied')).toEqual([]);
});
