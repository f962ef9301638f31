import { describe, expect, it, onTestFinished } from 'vitest';
import speechUrl from '../fixtures/audio/speech.flac?url';
import { KEPT_AUDIO, removeSessionFolder } from '@src/storage/files.ts';
import { startCapture } from '../support/capture.ts';
import { filesOf } from '../support/session-files.ts';

async function record() {
  const capture = await startCapture();
  onTestFinished(() => removeSessionFolder(KEPT_AUDIO, capture.sessionId));
  const file = new File([await (await fetch(speechUrl)).blob()], 'speech.flac');
  const { sourceId } = await capture.session.addSource({ kind: 'file', file });
  await capture.events.first((event) => event.name === 'sourceEnded');
  return { ...capture, sourceId };
}

describe('what was recorded', () => {
  it('is on the disk sample by sample, and gone when it is not to be kept', async () => {
    const { session, sessionId, sourceId, speech } = await record();
    expect(session.journal).toBe('opfs');
    const [journal] = await filesOf('journal', sessionId);
    expect(journal?.name).toBe(`${sourceId}.pcm`);
    const samples = new Int16Array(await (journal ?? new Blob()).arrayBuffer());
    expect(samples.length / 16_000).toBeCloseTo(5.25, 1);
    const [audio] = speech.of('speech-audio');
    const inJournal = samples.subarray(audio?.start ?? 0).subarray(0, audio?.samples.length);
    expect([...inJournal].map((sample) => sample / 0x8000)).toEqual([...(audio?.samples ?? [])]);
    await session.stop();
    await session.finish(false);
    expect(await filesOf('journal', sessionId)).toEqual([]);
    expect(await filesOf('audio', sessionId)).toEqual([]);
  });

  it('is kept as Opus that can be played, in a tenth of the space', async () => {
    const { session, sessionId, sourceId, events } = await record();
    await session.stop();
    await session.finish(true);
    expect(await filesOf('journal', sessionId)).toEqual([]);
    const [kept] = await filesOf('audio', sessionId);
    expect(events.all.filter(({ name }) => name === 'warning')).toEqual([]);
    expect(kept?.name).toBe(`${sourceId}.ogg`);
    expect(kept?.size).toBeGreaterThan(5000);
    expect(kept?.size).toBeLessThan(40_000);
    const context = new OfflineAudioContext(1, 16_000, 16_000);
    const played = await context.decodeAudioData(await (kept ?? new Blob()).arrayBuffer());
    expect(played.duration).toBeCloseTo(5.25, 0);
    const samples = played.getChannelData(0);
    expect(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)).toBeGreaterThan(0.01);
  });
});
