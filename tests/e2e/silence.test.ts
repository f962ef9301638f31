import { sharedDir, tenMinutesWithoutSpeech, writeWav } from '../support/audio.ts';
import { expect, test } from './fixtures.ts';
import { watchWords } from './watch-words.ts';

if (!sharedDir)
  console.log('Skipped: ten minutes without speech; ../shared (or UNISONO_SHARED) is not there.');
test.skip(!sharedDir, 'needs the noises of ../shared');

for (const asr of ['whisper-tiny', 'moonshine-tiny']) {
  test(`ten minutes of silence, noise and music produce no word, with ${asr}`, async ({
    openPage,
  }, testInfo) => {
    const meeting = await openPage();
    const versions = await watchWords(meeting.page);
    // The recognizer of a link that starts nothing itself; the recording is the file.
    await meeting.open();
    await meeting.page.locator('[data-control=model]').click();
    await meeting.page.locator(`input[value=${asr}]`).check();
    await meeting.page.keyboard.press('Escape');
    await meeting.modelReady(asr);

    const file = writeWav(testInfo.outputPath('no-speech.wav'), tenMinutesWithoutSpeech());
    await meeting.page.locator('input[data-control=file]').setInputFiles(file);
    await expect(meeting.page.locator('[data-recorder=recording]')).toBeVisible();
    await expect(meeting.page.locator('[data-recorder=idle]')).toBeVisible({ timeout: 280_000 });
    // A recording without words leaves no trace: the start screen is back when its last noise is judged.
    await expect(meeting.page.locator('[data-action=start]')).toBeVisible();
    const shown = Object.values(await versions()).flatMap((all) => all.map(({ text }) => text));
    expect(shown.filter(Boolean)).toEqual([]);
  });
}
