import { afterEach, describe, expect, it, vi } from 'vitest';
import speechUrl from '../fixtures/audio/speech.flac?url';
import cutUrl from '../fixtures/audio/speech.mp3?url';
import type { SpeechMessage } from '@core/protocol/audio.ts';
import { deviceFrom, MICROPHONE, startCapture } from '../support/capture.ts';
import type { SpeechInbox } from '../support/inbox.ts';

type Capture = Awaited<ReturnType<typeof startCapture>>;

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of open.splice(0).reverse()) await close();
});

async function start(): Promise<Capture> {
  const capture = await startCapture();
  open.push(async () => {
    await capture.session.stop();
    await capture.session.finish(false);
  });
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

/** Whether each utterance from message `from` on came whole. */
function contiguous(speech: SpeechInbox, from = 0): boolean {
  const reached = new Map<number, number>();
  for (const message of speech.all.slice(from)) {
    if (message.type === 'speech-start') reached.set(message.utterance, message.utterance);
    if (message.type === 'speech-audio') {
      if (reached.get(message.utterance) !== message.start) return false;
      reached.set(message.utterance, message.start + message.samples.length);
    }
    if (message.type === 'speech-end' && (reached.get(message.utterance) ?? 0) < message.end) return false;
  }
  return reached.size > 0;
}

const file = async (url: string, name: string, bytes?: number) => {
  const blob = await (await fetch(url)).blob();
  return new File([blob.slice(0, bytes)], name);
};

describe('microphone', () => {
  it('sends what is said, with the silence around it left out', async () => {
    const { session, speech, events } = await start();
    await plugIn();
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
    const ended = await events.first((event) => event.name === 'sourceEnded');
    expect(ended.value).toEqual({ sourceId, error: null });
    const { utterances } = await session.finish(false);
    expect(speech.of('speech-end').at(-1)).toMatchObject({ sourceId, reason: 'source-end' });
    expect(speech.of('source-clock').at(-1)).toMatchObject({ ended: true });
    expect(utterances).toBe(speech.of('speech-end').length);
  });

  it('records without an engine, tells how much waits, and sends all of it when one comes', async () => {
    await plugIn({ loop: true });
    const { session, engine, speech, events } = await startCapture({ engineless: true });
    const { sourceId } = await session.addSource(MICROPHONE);
    await events.first(({ name, value }) => name === 'backlog' && !value.attached && value.speechMs > 2000);
    expect(speech.all).toEqual([]);
    engine.begin();
    await events.first(({ name, value }) => name === 'backlog' && value.attached);
    await speech.first(isSpeaking);
    await session.stop();
    await session.finish(false);
    expect(engine.configs).toMatchObject([{ sources: [{ sourceId, kind: 'microphone', offsetMs: 0 }] }]);
    await events.first(({ name, value }) => name === 'backlog' && value.speechMs === 0);
    expect(contiguous(speech)).toBe(true);
  });

  it('sends another engine in the middle of a word what the one before did not store', async () => {
    await plugIn({ loop: true });
    const { session, engine, speech } = await startCapture();
    await session.addSource(MICROPHONE);
    const audio = await speech.first(isSpeaking);
    const before = speech.all.length;
    engine.leave();
    engine.begin();
    const again = await speech.first((message) => message.type === 'speech-audio', before);
    expect(again).toEqual(speech.of('speech-audio')[0]);
    expect(engine.configs).toHaveLength(2);
    await session.stop();
    await session.finish(false);
    expect(audio.sourceId).toBe(again.sourceId);
    expect(contiguous(speech, before)).toBe(true);
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
    expect(contiguous(speech)).toBe(true);
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
    const { session, engine, speech, events } = await start();
    const { sourceId } = await session.addSource({ kind: 'file', file: await twoHours() });
    const waitingMs = () => {
      const told = events.all.findLast((event) => event.name === 'backlog');
      return told?.name === 'backlog' ? told.value.speechMs : 0;
    };
    await events.first(() => waitingMs() > 60_000);
    // Another file is read from its start to its end meanwhile, so the long one had time to go on, too.
    await session.addSource({ kind: 'file', file: await file(speechUrl, 'speech.flac') });
    await events.first((event) => event.name === 'sourceEnded');
    expect(waitingMs()).toBeLessThan(60_000 + 28_000 + 6_000);
    const sent = speech.of('speech-audio').filter((audio) => audio.sourceId === sourceId);
    expect(sent.reduce((sum, { samples }) => sum + samples.length, 0)).toBeLessThan((20 + 28) * 16_000);
    const last = speech.of('speech-end').findLast((end) => end.sourceId === sourceId);
    if (!last) throw new Error('no utterance was sent');
    const seen = speech.all.length;
    engine.acknowledge({ sourceId, upTo: last.end });
    await speech.first((message) => message.type === 'speech-end' && message.sourceId === sourceId, seen);
    engine.keepsUp = true;
    await session.removeSource(sourceId);
    const ended = await events.first(
      ({ name, value }) => name === 'sourceEnded' && value.sourceId === sourceId,
    );
    expect(ended.value).toEqual({ sourceId, error: null });
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
