import { afterEach, describe, expect, it, vi } from 'vitest';
import speechUrl from '../fixtures/audio/speech.flac?url';
import cutUrl from '../fixtures/audio/speech.mp3?url';
import type { SpeechMessage } from '@core/protocol/audio.ts';
import { deviceFrom, MICROPHONE, startCapture } from '../support/capture.ts';

type Capture = Awaited<ReturnType<typeof startCapture>>;

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of open.splice(0).reverse()) await close();
});

async function start(): Promise<Capture> {
  const capture = await startCapture();
  open.push(() => capture.session.stop());
  return capture;
}

/** The microphone plays the fixture; everything behind the device is real. */
async function plugIn(options: { loop?: boolean } = {}): Promise<MediaStreamTrack> {
  const device = await deviceFrom(speechUrl, options);
  open.push(() => device.close());
  vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockResolvedValue(device.stream);
  return device.stream.getAudioTracks()[0] as MediaStreamTrack;
}

/** A second into an utterance: it is no click that the gate would forget. */
const isSpeaking = (message: SpeechMessage) =>
  message.type === 'speech-audio' && message.start > message.utterance + 16_000;

const file = async (url: string, name: string, bytes?: number) => {
  const blob = await (await fetch(url)).blob();
  return new File([blob.slice(0, bytes)], name);
};

describe('microphone', () => {
  it('sends what is said, with the silence around it left out', async () => {
    await plugIn();
    const { session, speech, events } = await start();
    const source = await session.addSource(MICROPHONE);
    expect(source).toMatchObject({ kind: 'microphone', offsetMs: 0 });
    const end = await speech.first((message) => message.type === 'speech-end');
    expect(end.sourceId).toBe(source.sourceId);
    const audio = speech.of('speech-audio');
    const rms = Math.sqrt(
      audio.reduce((sum, { samples }) => sum + samples.reduce((power, x) => power + x * x, 0), 0) /
        audio.reduce((sum, { samples }) => sum + samples.length, 0),
    );
    expect(rms).toBeGreaterThan(0.01);
    const loud = await events.first((event) => event.name === 'level' && event.value.speech);
    expect(loud.value).toMatchObject({ sourceId: source.sourceId });
    expect(events.all.find(({ name }) => name === 'vad')?.value).toEqual({ tier: 'silero-v6', reason: null });
  });

  it('closes the utterance when recording stops in the middle of a sentence', async () => {
    await plugIn({ loop: true });
    const { session, speech, events } = await startCapture();
    const { sourceId } = await session.addSource(MICROPHONE);
    await speech.first(isSpeaking);
    await session.stop();
    await speech.first((message) => message.type === 'source-clock' && message.ended);
    expect(speech.of('speech-end').at(-1)).toMatchObject({ sourceId, reason: 'source-end' });
    expect(events.all.at(-1)).toEqual({ name: 'sourceEnded', value: { sourceId, error: null } });
  });

  it('records nothing while paused, and goes on where it paused', async () => {
    await plugIn({ loop: true });
    const { session, speech, events } = await start();
    await session.addSource(MICROPHONE);
    await speech.first(isSpeaking);
    await session.setPaused(true);
    const end = await speech.first((message) => message.type === 'speech-end');
    expect(end).toMatchObject({ reason: 'source-end' });
    const levels = () => events.all.filter(({ name }) => name === 'level').length;
    const [before, sent] = [levels(), speech.all.length];
    // Time passes: a second session hears a whole second of the same device.
    const second = await start();
    await second.session.addSource(MICROPHONE);
    await second.speech.first((message) => message.type === 'source-clock');
    expect(levels()).toBe(before);
    expect(speech.all.length).toBe(sent);
    await session.setPaused(false);
    const next = await speech.first((message) => message.type === 'speech-start', sent);
    expect(next.utterance).toBeLessThan(end.end + 16_000);
    expect(next.utterance).toBeGreaterThanOrEqual(end.end);
  });

  it('keeps what was said when the device is unplugged, and records on with another', async () => {
    const track = await plugIn({ loop: true });
    const { session, speech, events } = await start();
    const { sourceId } = await session.addSource(MICROPHONE);
    await speech.first(isSpeaking);
    track.dispatchEvent(new Event('ended'));
    const ended = await events.first((event) => event.name === 'sourceEnded');
    expect(ended.value).toMatchObject({ sourceId, error: { code: 'microphone-unplugged' } });
    await speech.first((message) => message.type === 'source-clock' && message.ended);
    expect(speech.of('speech-end').at(-1)).toMatchObject({ reason: 'source-end' });

    await plugIn({ loop: true });
    const again = await session.addSource(MICROPHONE);
    expect(again.offsetMs).toBeGreaterThan(0);
    await speech.first((message) => message.type === 'speech-start' && message.sourceId === again.sourceId);
  });

  it('says that the microphone is muted, and goes on', async () => {
    const track = await plugIn({ loop: true });
    const { session, events } = await start();
    await session.addSource(MICROPHONE);
    track.dispatchEvent(new Event('mute'));
    const warning = await events.first((event) => event.name === 'warning');
    expect(warning.value).toMatchObject({ code: 'microphone-muted' });
    await events.first((event) => event.name === 'level', events.all.length);
  });

  it('says that the browser suspended sound, and records on when it may', async () => {
    const contexts: AudioContext[] = [];
    const Real = AudioContext;
    await plugIn({ loop: true });
    vi.stubGlobal(
      'AudioContext',
      class extends Real {
        constructor(options?: AudioContextOptions) {
          super(options);
          contexts.push(this);
        }
      },
    );
    const { session, events } = await start();
    await session.addSource(MICROPHONE);
    vi.unstubAllGlobals();
    await contexts[0]?.suspend();
    const warning = await events.first((event) => event.name === 'warning');
    expect(warning.value).toMatchObject({ code: 'audio-suspended' });
    await events.first((event) => event.name === 'level', events.all.length);
  });

  it('says why a microphone does not open', async () => {
    const { session } = await start();
    const request = vi.spyOn(navigator.mediaDevices, 'getUserMedia');
    for (const [name, code] of [
      ['NotAllowedError', 'microphone-denied'],
      ['NotFoundError', 'microphone-missing'],
      ['OverconstrainedError', 'microphone-missing'],
      ['NotReadableError', 'microphone-busy'],
      ['TypeError', 'capture-unsupported'],
    ] as const) {
      request.mockRejectedValue(new DOMException('refused', name));
      await expect(session.addSource(MICROPHONE)).rejects.toMatchObject({ code });
    }
  });
});

describe('tab', () => {
  it('is a source of its own beside the microphone, and says when sharing ends', async () => {
    await plugIn({ loop: true });
    const share = vi.spyOn(navigator.mediaDevices, 'getDisplayMedia');
    const { session, speech, events } = await start();
    const [microphone, tab] = [await session.addSource(MICROPHONE), await session.addSource({ kind: 'tab' })];
    for (const { sourceId } of [microphone, tab])
      await events.first(({ name, value }) => name === 'level' && value.sourceId === sourceId);
    const shared = (await share.mock.results[0]?.value) as MediaStream;
    shared.getAudioTracks()[0]?.dispatchEvent(new Event('ended'));
    const ended = await events.first((event) => event.name === 'sourceEnded');
    expect(ended.value).toMatchObject({ sourceId: tab.sourceId, error: { code: 'share-ended' } });
    expect(shared.getTracks().map(({ readyState }) => readyState)).toEqual(['ended', 'ended']);
    await speech.first(
      (message) => message.type === 'source-clock' && message.sourceId === microphone.sourceId,
      speech.all.length,
    );
  });

  it('says that nothing was shared, or that what was shared has no sound', async () => {
    const { session } = await start();
    const share = vi.spyOn(navigator.mediaDevices, 'getDisplayMedia');
    share.mockRejectedValue(new DOMException('refused', 'NotAllowedError'));
    await expect(session.addSource({ kind: 'tab' })).rejects.toMatchObject({ code: 'share-denied' });
    share.mockResolvedValue(document.createElement('canvas').captureStream());
    await expect(session.addSource({ kind: 'tab' })).rejects.toMatchObject({ code: 'share-without-audio' });
  });
});

describe('file', () => {
  it('is gated to its end, with progress', async () => {
    const { session, speech, events } = await start();
    const { sourceId } = await session.addSource({
      kind: 'file',
      file: await file(speechUrl, 'speech.flac'),
    });
    const ended = await events.first((event) => event.name === 'sourceEnded');
    expect(ended.value).toEqual({ sourceId, error: null });
    const progress = events.all.filter((event) => event.name === 'progress').map(({ value }) => value);
    expect(progress[0]).toMatchObject({ sourceId, doneMs: 0, totalMs: expect.closeTo(5249.5, 0) as number });
    expect(progress.at(-1)).toMatchObject({ sourceId, doneMs: expect.closeTo(5249.5, 0) as number });
    await speech.first((message) => message.type === 'source-clock' && message.ended);
    expect(speech.of('speech-end').length).toBeGreaterThan(0);
    expect(events.all.some(({ name }) => name === 'level')).toBe(false);
  });

  it('keeps the speech of a file that breaks off, and says so', async () => {
    const { session, speech, events } = await start();
    await session.addSource({ kind: 'file', file: await file(cutUrl, 'cut.mp3', 20_000) });
    const ended = await events.first((event) => event.name === 'sourceEnded');
    expect(ended.value).toMatchObject({ error: { code: 'file-truncated', detail: { file: 'cut.mp3' } } });
    await speech.first((message) => message.type === 'source-clock' && message.ended);
    expect(speech.of('speech-audio').length).toBeGreaterThan(0);
  });

  it('refuses a file that is no audio, and the session goes on', async () => {
    const { session, events } = await start();
    const letter = new File(['Dear Sir or Madam, '.repeat(500)], 'letter.txt');
    await expect(session.addSource({ kind: 'file', file: letter })).rejects.toMatchObject({
      code: 'file-not-audio',
    });
    await session.addSource({ kind: 'file', file: await file(speechUrl, 'speech.flac') });
    await events.first((event) => event.name === 'sourceEnded');
    expect(events.all.filter(({ name }) => name === 'sourceEnded')).toHaveLength(1);
  });

  it('of two hours waits for the engine, and can be cancelled', async () => {
    const { session, speech, events } = await start();
    const { sourceId } = await session.addSource({ kind: 'file', file: await twoHours() });
    const sentS = () =>
      speech
        .of('speech-end')
        .filter((end) => end.sourceId === sourceId)
        .reduce((sum, { utterance, end }) => sum + end - utterance, 0) / 16_000;
    await speech.first(() => sentS() > 60 - 28);
    // Another file is read from its start to its end meanwhile, so the long one had time to go on, too.
    await session.addSource({ kind: 'file', file: await file(speechUrl, 'speech.flac') });
    await events.first((event) => event.name === 'sourceEnded');
    expect(sentS()).toBeLessThan(60 + 28);
    const seen = speech.all.length;
    const last = speech.of('speech-end').findLast((end) => end.sourceId === sourceId);
    if (!last) throw new Error('no utterance was sent');
    speech.acknowledge({ sourceId, upTo: last.end });
    await speech.first((message) => message.type === 'speech-end' && message.sourceId === sourceId, seen);
    await session.removeSource(sourceId);
    const ended = await events.first(
      ({ name, value }) => name === 'sourceEnded' && value.sourceId === sourceId,
    );
    expect(ended.value).toEqual({ sourceId, error: null });
    await speech.first(
      (message) => message.type === 'source-clock' && message.sourceId === sourceId && message.ended,
    );
  });
});

/** The same ten seconds of speech 720 times: a Blob of parts takes no memory of its own. */
async function twoHours(): Promise<File> {
  const context = new OfflineAudioContext(1, 160_000, 16_000);
  const speech = await context.decodeAudioData(await (await fetch(speechUrl)).arrayBuffer());
  const samples = Int16Array.from(speech.getChannelData(0), (x) => Math.round(x * 0x7fff));
  const tenSeconds = new Blob([samples, new Int16Array(160_000 - samples.length)]);
  const bytes = 720 * tenSeconds.size;
  const header = new DataView(new ArrayBuffer(44));
  [0x52494646, 0, 0x57415645, 0x666d7420].forEach((word, i) => header.setUint32(4 * i, word));
  header.setUint32(4, 36 + bytes, true);
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, 16_000, true);
  header.setUint32(28, 32_000, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  header.setUint32(36, 0x64617461);
  header.setUint32(40, bytes, true);
  return new File([header, ...Array.from({ length: 720 }, () => tenSeconds)], 'meeting.wav');
}
