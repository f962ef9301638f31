import {
  AudioSample,
  AudioSampleSource,
  canEncodeAudio,
  OggOutputFormat,
  Output,
  Quality,
  StreamTarget,
  WavOutputFormat,
  type AudioEncodingConfig,
  type OutputFormat,
  type StreamTargetChunk,
} from 'mediabunny';
import { SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import { KEPT_AUDIO, openSessionFolder } from '@src/storage/files.ts';
import type { Journal } from './journal.ts';
import { openFile } from './journal-folder.ts';

/** Opus at this rate is hard to tell from the original for speech in one channel. */
const OPUS_BITS_PER_SECOND = 32_000;

/** Read and encoded at once. */
const PIECE_SAMPLES = 10 * SAMPLE_RATE_HZ;

interface Encoding {
  readonly extension: 'ogg' | 'wav';
  readonly format: OutputFormat;
  readonly config: AudioEncodingConfig;
}

const WAV: Encoding = { extension: 'wav', format: new WavOutputFormat(), config: { codec: 'pcm-s16' } };

async function chooseEncoding(): Promise<Encoding> {
  const quality = new Quality({ bitrate: OPUS_BITS_PER_SECOND });
  const options = { numberOfChannels: 1, sampleRate: SAMPLE_RATE_HZ, quality };
  // Where the browser has no encoder the sound is kept as it is.
  if (!(await canEncodeAudio('opus', options).catch(() => false))) return WAV;
  return { extension: 'ogg', format: new OggOutputFormat(), config: { codec: 'opus', quality } };
}

/**
 * Keeps what a source's journal has on disk as `audio/<session>/<source>.ogg` (Opus), or `.wav` where the browser cannot
 * encode. Reads and encodes piece by piece, so that hours take no memory.
 */
export async function keepAudio(sessionId: SessionId, sourceId: SourceId, journal: Journal): Promise<void> {
  if (journal.samplesOnDisk === 0) return;
  const { extension, format, config } = await chooseEncoding();
  const folder = await openSessionFolder(KEPT_AUDIO, sessionId);
  const name = `${sourceId}.${extension}`;
  const file = await openFile(await folder.getFileHandle(name, { create: true }));
  try {
    file.truncate(0);
    await encode(journal, format, config, file);
    file.flush();
    file.close();
  } catch (thrown) {
    file.close();
    await folder.removeEntry(name);
    throw thrown;
  }
}

async function encode(
  journal: Journal,
  format: OutputFormat,
  config: AudioEncodingConfig,
  file: FileSystemSyncAccessHandle,
): Promise<void> {
  const target = new StreamTarget(
    new WritableStream<StreamTargetChunk>({
      write: ({ data, position }) => {
        if (file.write(data, { at: position }) !== data.byteLength)
          throw new DOMException('The disk took only a part.', 'QuotaExceededError');
      },
    }),
  );
  const output = new Output({ format, target });
  const source = new AudioSampleSource(config);
  output.addAudioTrack(source);
  try {
    await output.start();
    for (let start = 0; start < journal.samplesOnDisk; start += PIECE_SAMPLES) {
      const data = journal.read(start, Math.min(start + PIECE_SAMPLES, journal.samplesOnDisk));
      const sample = new AudioSample({
        data,
        format: 'f32-planar',
        numberOfChannels: 1,
        sampleRate: SAMPLE_RATE_HZ,
        timestamp: start / SAMPLE_RATE_HZ,
      });
      await source.add(sample);
      sample.close();
    }
    await output.finalize();
  } catch (thrown) {
    await output.cancel().catch(() => undefined);
    throw thrown;
  }
}
