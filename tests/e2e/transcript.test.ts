import { readFile } from 'node:fs/promises';
import { expect, knownAnswer, test } from './fixtures.ts';

test('the transcript survives a reload and is downloaded as TXT, SRT, VTT and JSON', async ({ openPage }) => {
  const heard = knownAnswer();
  const meeting = await openPage({ microphone: heard.audio });
  await meeting.record();
  await meeting.finalUntil(heard.spans[0]!.endMs);
  await meeting.stop();
  const before = await meeting.read();
  expect(before.length).toBeGreaterThan(0);

  await meeting.page.reload();
  await expect(meeting.segments).toHaveCount(before.length);
  expect(await meeting.read()).toEqual(before);
  await meeting.inState('idle');

  const texts = before.map(({ text }) => text);
  for (const format of ['txt', 'srt', 'vtt', 'json']) {
    const button = meeting.page.locator(`button[data-format=${format}]`);
    if (!(await button.isVisible())) await meeting.page.locator('[data-control=download]').click();
    const [download] = await Promise.all([meeting.page.waitForEvent('download'), button.click()]);
    expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`));
    const content = await readFile(await download.path(), 'utf8');
    const flat = content.replace(/\s+/g, ' ');
    for (const text of texts) for (const word of text.split(' ')) expect(flat).toContain(word);
    if (format === 'json') {
      const { segments } = JSON.parse(content) as { segments: { id: string; text: string }[] };
      expect(segments.map(({ id, text }) => ({ id, text }))).toEqual(
        before.map(({ id, text }) => ({ id, text })),
      );
    }
    if (format === 'vtt') expect(content).toMatch(/^WEBVTT/);
    if (format === 'srt') expect(content).toMatch(/^1\r?\n\d\d:\d\d:\d\d,\d{3} --> /);
  }
});
