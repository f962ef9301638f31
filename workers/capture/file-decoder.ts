import {
  ADTS,
  AudioSampleSink,
  BlobSource,
  EncodedPacketSink,
  FLAC,
  Input,
  MATROSKA,
  MP3,
  MP4,
  OGG,
  QTFF,
  WAVE,
  WEBM,
  UnsupportedInputFormatError,
  type AudioSample,
  type EncodedPacket,
  type InputAudioTrack,
} from 'mediabunny';
import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import { PcmStream } from '@core/audio/pcm-stream.ts';

const FORMATS = [WAVE, MP3, MP4, QTFF, OGG, FLAC, WEBM, MATROSKA, ADTS];

/** A hole in the file's timestamps up to this long is rounding; a longer one was a pause in the recording. */
const GAP_S = 0.05;

/** A file that ends this much before the length its container states was cut off. */
const MISSING_S = 1;

/** Frames handed to the resampler at once. */
const PIECE_FRAMES = 4096;

export interface DecodedBlock {
  /** 512 samples, mono, 16 kHz. */
  readonly block: Float32Array;
  /** How many of them are the file's: fewer than 512 only in its last block. */
  readonly samples: number;
}

const megabytes = (file: File) => `${(file.size / 1e6).toFixed(1)} MB`;

const notAudio = (file: File, cause?: unknown) =>
  new UnisonoError(
    'file-not-audio',
    `No sound was found in ${file.name} (${megabytes(file)}). Choose an audio or video file: WAV, MP3, M4A, OGG, FLAC, WebM or MP4.`,
    { cause, detail: { file: file.name } },
  );

const unsupported = (file: File, codec: string) =>
  new UnisonoError(
    'file-unsupported-codec',
    `This browser cannot decode the sound in ${file.name} (${codec}). Convert the file to WAV, MP3 or Opus, or try another browser.`,
    { detail: { file: file.name, codec } },
  );

const truncated = (file: File, atS: number, cause?: unknown) =>
  new UnisonoError(
    'file-truncated',
    `${file.name} breaks off after ${Math.round(atS)} s: the file is incomplete or damaged. What was read up to there is kept. ` +
      'If you have a complete copy, import that one.',
    { cause, detail: { file: file.name, seconds: String(Math.round(atS)) } },
  );

/**
 * Mediabunny's sink throws away what it has decoded ahead when the container turns out to be damaged. Here the
 * damage ends the stream and is kept in `failure`. Overrides an internal method of mediabunny 1.61: the tests with
 * cut files tell when a newer version goes another way.
 */
class SalvagingSink extends AudioSampleSink {
  failure: unknown = null;
  readonly track: InputAudioTrack;

  constructor(track: InputAudioTrack) {
    super(track);
    this.track = track;
  }

  _createPacketSink(): EncodedPacketSink {
    const sink = new EncodedPacketSink(this.track);
    const packets = sink.packets.bind(sink);
    sink.packets = (...range) => this.#untilDamage(packets(...range));
    return sink;
  }

  async *#untilDamage(
    packets: AsyncGenerator<EncodedPacket, void, unknown>,
  ): AsyncGenerator<EncodedPacket, void, unknown> {
    try {
      yield* packets;
    } catch (thrown) {
      this.failure = thrown;
    }
  }
}

/** Whether a WAV states more bytes than there are; its demuxer reads what there is and says nothing. */
async function isShortWav(file: File): Promise<boolean> {
  const header = await file.slice(0, 12).arrayBuffer();
  if (header.byteLength < 12) return false;
  const view = new DataView(header);
  const statedBytes = view.getUint32(4, true);
  const streamed = statedBytes === 0xffff_ffff;
  return view.getUint32(0) === 0x5249_4646 && !streamed && statedBytes + 8 > file.size;
}

/**
 * An audio or video file as a stream of blocks: reads and decodes as it is asked, so that a file of any
 * length needs the memory of a few packets.
 */
export class DecodedFile {
  /** Stated by the container; null where it states nothing. */
  readonly totalMs: number | null;
  readonly #file: File;
  readonly #input: Input;
  readonly #track: InputAudioTrack;
  /** Timestamp that becomes sample 0. */
  readonly #originS: number;

  private constructor(
    file: File,
    input: Input,
    track: InputAudioTrack,
    originS: number,
    totalS: number | null,
  ) {
    this.#file = file;
    this.#input = input;
    this.#track = track;
    this.#originS = originS;
    this.totalMs = totalS === null ? null : Math.max(0, totalS - originS) * 1000;
  }

  /** @throws {UnisonoError} `file-not-audio`, `file-unsupported-codec`, `file-truncated` if nothing can be read */
  static async open(file: File): Promise<DecodedFile> {
    const source = new BlobSource(file, { handleUnhandledError: () => undefined });
    const input = new Input({ formats: FORMATS, source });
    try {
      if ((await input.getTracks()).length === 0) throw truncated(file, 0);
      const track = await input.getPrimaryAudioTrack();
      if (!track) throw notAudio(file);
      if (!(await track.canDecode()))
        throw unsupported(file, (await track.getCodec()) ?? String(await track.getInternalCodecId()));
      const originS = Math.max(0, await input.getFirstTimestamp());
      return new DecodedFile(file, input, track, originS, await track.getDurationFromMetadata());
    } catch (thrown) {
      input.dispose();
      if (thrown instanceof UnisonoError) throw thrown;
      if (thrown instanceof UnsupportedInputFormatError) throw notAudio(file, thrown);
      // Its WAV reader says so in words only.
      if (thrown instanceof Error && /unsupported/i.test(thrown.message))
        throw unsupported(file, thrown.message);
      throw truncated(file, 0, thrown);
    }
  }

  /**
   * All of it, once. Silence stands where the file's timestamps leave a gap.
   * @throws {UnisonoError} `file-truncated` after the last block that could be decoded
   */
  async *blocks(): AsyncGenerator<DecodedBlock, void, void> {
    const ready: DecodedBlock[] = [];
    const sink = {
      take: () => new Float32Array(BLOCK_SAMPLES),
      emit: (block: Float32Array, _start: number, samples: number) => ready.push({ block, samples }),
    };
    const pcm = new PcmStream(SAMPLE_RATE_HZ, PIECE_FRAMES, sink);
    let endS = 0;
    const decoded = new SalvagingSink(this.#track);
    let failure: unknown = null;
    try {
      for await (const sample of decoded.samples()) {
        try {
          // Some decoders (HE-AAC) give another rate than the container states.
          pcm.setRate(sample.sampleRate);
          const startS = sample.timestamp - this.#originS;
          if (startS - endS > GAP_S) yield* this.#silence(pcm, (startS - endS) * sample.sampleRate, ready);
          this.#decode(sample, Math.max(0, Math.round(-startS * sample.sampleRate)), pcm);
          endS = Math.max(endS, startS + sample.duration);
        } finally {
          sample.close();
        }
        yield* ready.splice(0);
      }
    } catch (thrown) {
      failure = thrown;
    } finally {
      this.#input.dispose();
    }
    pcm.end();
    yield* ready.splice(0);
    failure ??= decoded.failure;
    const missing = this.totalMs !== null && this.totalMs / 1000 - endS > MISSING_S;
    if (failure !== null || missing || (await isShortWav(this.#file).catch(() => false)))
      throw truncated(this.#file, endS, failure ?? undefined);
  }

  /** The frames of one decoded sample from `skip` on (what lies before the start of the media is left out). */
  #decode(sample: AudioSample, skip: number, pcm: PcmStream): void {
    const format = 'f32-planar';
    for (let frameOffset = skip; frameOffset < sample.numberOfFrames; frameOffset += PIECE_FRAMES) {
      const frameCount = Math.min(PIECE_FRAMES, sample.numberOfFrames - frameOffset);
      const channels = Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
        const plane = new Float32Array(frameCount);
        sample.copyTo(plane, { planeIndex, format, frameOffset, frameCount });
        return plane;
      });
      pcm.push(channels, frameCount);
    }
  }

  *#silence(pcm: PcmStream, frames: number, ready: DecodedBlock[]): Generator<DecodedBlock, void, void> {
    for (let left = Math.round(frames); left > 0; left -= PIECE_FRAMES) {
      pcm.push([], Math.min(PIECE_FRAMES, left));
      yield* ready.splice(0);
    }
  }
}
