import type { SpeechAcknowledged } from '@core/protocol/audio.ts';
import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import { toUnisonoError, toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { HealthEntry } from '@core/protocol/engine.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import { DecodedFile } from './file-decoder.ts';
import { FileSource } from './file-source.ts';
import { LiveSource } from './live-source.ts';
import { SourcePipeline } from './source-pipeline.ts';
import { VadRunner, type TierListener } from './vad-runner.ts';

interface Open {
  readonly vad: VadRunner;
  readonly speech: MessagePort;
}

/** The sources of one session in one capture worker, behind {@link CaptureApi}. */
export function createCaptureHost(events: CaptureEvents): CaptureApi {
  const sources = new Map<SourceId, LiveSource | FileSource>();
  let open: Open | null = null;
  let paused = false;

  const health = (level: HealthEntry['level'], scope: HealthEntry['scope'], code: string, message: string) =>
    events.health({ atMs: Date.now(), level, scope, code, message });

  const onTier: TierListener = (tier, reason) => {
    events.vad({ tier, reason });
    if (reason === null) health('info', 'vad', 'vad-ready', `Voice detector: ${tier}.`);
    else health('warning', 'vad', 'vad-degraded', `Voice detector fell to ${tier} (${reason}).`);
  };

  const session = (): Open => {
    if (!open) throw new UnisonoError('internal', 'The capture worker has no open session.');
    return open;
  };

  const newPipeline = (sourceId: SourceId): SourcePipeline => {
    const { vad, speech } = session();
    return new SourcePipeline(sourceId, vad, (message, transfer) => speech.postMessage(message, transfer));
  };

  const endSource = async (sourceId: SourceId): Promise<void> => {
    const source = sources.get(sourceId);
    sources.delete(sourceId);
    await source?.end();
  };

  return {
    async open(_sessionId, speech) {
      const vad = await VadRunner.start(onTier);
      speech.onmessage = ({ data }: MessageEvent<SpeechAcknowledged>) => {
        const source = sources.get(data.sourceId);
        if (source instanceof FileSource) source.acknowledge(data.upTo);
      };
      open = { vad, speech };
      return { vadTier: vad.tier };
    },

    addLive(sourceId, pcm) {
      const source = new LiveSource(newPipeline(sourceId), pcm, paused, {
        level: (level) => events.level(level),
        failed: (error) => events.sourceFailed({ sourceId, error: toWire(error) }),
        late: (extraBuffers) =>
          health(
            'warning',
            'capture',
            'capture-late',
            `The gate was late; ${extraBuffers} more buffers are in use.`,
          ),
      });
      sources.set(sourceId, source);
      return Promise.resolve();
    },

    async addFile(sourceId, file) {
      const decoded = await DecodedFile.open(file);
      const source = new FileSource(newPipeline(sourceId), paused, events);
      sources.set(sourceId, source);
      try {
        await source.import(decoded);
      } catch (thrown) {
        throw toUnisonoError(thrown);
      } finally {
        sources.delete(sourceId);
      }
    },

    endSource,

    async setPaused(value) {
      paused = value;
      await Promise.all([...sources.values()].map((source) => source.setPaused(value)));
    },

    async close() {
      await Promise.all([...sources.keys()].map(endSource));
      open = null;
    },

    ...(__TEST_HOOKS__ && {
      failVad: () => {
        session().vad.failNext();
        return Promise.resolve();
      },
    }),
  };
}
