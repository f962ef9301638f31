import { readFileSync } from 'node:fs';
import { expect, knownAnswer, test } from './fixtures.ts';

const english = JSON.parse(
  readFileSync(new URL('../../messages/en.json', import.meta.url), 'utf8'),
) as Record<string, string>;

test('a refused microphone is said in words, with what to do, and nothing is recorded', async ({
  openPage,
}) => {
  const meeting = await openPage({ microphone: 'denied' });
  await meeting.record();
  const notice = meeting.notice('microphone-denied');
  await expect(notice.getByRole('alert')).toContainText(english.error_microphone_denied!);
  await expect(notice.locator('[data-action=notice]')).toBeVisible();
  await meeting.inState('idle');
  await expect(meeting.segments).toHaveCount(0);
});

test('a link with unknown values starts nothing and says what it may say', async ({ openPage }) => {
  const meeting = await openPage({ microphone: knownAnswer().audio });
  await meeting.record({ source: 'telephone', language: 'tlh', asr: 'oracle' });
  const notice = meeting.notice('link-invalid');
  await expect(notice).toContainText(english.error_link_invalid!);
  for (const text of ['telephone', 'tlh', 'oracle', 'mic', 'whisper-tiny', 'auto']) {
    await expect(notice).toContainText(text);
  }
  await meeting.inState('idle');
});

test('by keyboard alone: start, pause, go on, stop, read', async ({ openPage }) => {
  const heard = knownAnswer();
  const meeting = await openPage({ microphone: heard.audio });
  const { keyboard } = meeting.page;
  await meeting.open();
  await keyboard.press('r');
  await meeting.inState('recording');
  await keyboard.press('Space');
  await meeting.inState('paused');
  await keyboard.press('Space');
  await meeting.inState('recording');
  await expect(meeting.segments.first()).toHaveAttribute('data-state', 'final');
  await keyboard.press('r');
  await meeting.inState('idle');
});

test('every control is reached with Tab, and Enter on the record button records', async ({ openPage }) => {
  const meeting = await openPage({ microphone: knownAnswer().audio });
  await meeting.open();
  const record = meeting.page.locator('[data-action=record]');
  await expect(record).toBeVisible();
  const controls = await meeting.page.locator('button:visible, input:visible, a[href]:visible').count();
  const reached = new Set<string>();
  let onRecord = false;
  for (let press = 0; press < controls + 5 && !onRecord; press++) {
    await meeting.page.keyboard.press('Tab');
    const name = await meeting.page.evaluate(() => document.activeElement?.outerHTML ?? '');
    reached.add(name);
    onRecord = await record.evaluate((button) => button === document.activeElement);
  }
  expect(onRecord, [...reached].join('\n')).toBe(true);
  await meeting.page.keyboard.press('Enter');
  await meeting.inState('recording');
  await meeting.page.keyboard.press('r');
  await meeting.inState('idle');
});
