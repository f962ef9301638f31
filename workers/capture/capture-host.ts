import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import { toUnisonoError, toWire, UnisonoError } from '@core/protocol/errors.ts';
import type { SourceDescription } from '@core/protocol/engine.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import { openDatabase } from '@src/storage/database.ts';
import { DecodedFile } from './file-decoder.ts';
import { FileSource } from './file-source.ts';
import { sweepJournals } from './journal-folder.ts';
import { LiveSource } from './live-source.ts';
import { holdRecording, Recording, type RecordingEffects } from './recording.ts';
import { recoverRecording } from './recovery.ts';
import { SourcePipeline } from './source-pipeline.ts';
import { VadRunner } from './vad-runner.ts';

interface Open {
  readonly vad: VadRunner;
  readonly recording: Recording;
}

/** The sources of one session in one capture worker, behind {@link CaptureApi}. */
export function createCaptureHost(events: CaptureEvents): CaptureApi {
  const sources = new Map<SourceId, LiveSource | FileSource>();
  let open: Open | null = null;
  let paused = false;

  const health: RecordingEffects['health'] = (level, scope, code, message) =>
    events.health({ atMs: Date.now(), level, scope, code, message });

  const startVad = () =>
    VadRunner.start((tier, reason) => {
      events.vad({ tier, reason });
      if (reason === null) health('info', 'vad', 'vad-ready', `Voice detector: ${tier}.`);
      else health('warning', 'vad', 'vad-degraded', `Voice detector fell to ${tier} (${reason}).`);
    });

  const effects = (): RecordingEffects => ({
    events,
    database: openDatabase(),
    health,
    acknowledged: (sourceId) => {
      const source = sources.get(sourceId);
      if (source instanceof FileSource) source.acknowledged();
    },
  });

  const sweep = async (database: RecordingEffects['database']): Promise<void> => {
    try {
      await sweepJournals(await database);
    } catch (thrown) {
      health('info', 'storage', 'sweep-failed', toUnisonoError(thrown).message);
    }
  };

  const session = (): Open => {
    if (!open) throw new UnisonoError('internal', 'The capture worker has no open session.');
    return open;
  };

  const newPipeline = async (source: SourceDescription): Promise<SourcePipeline> => {
    const { vad, recording } = session();
    const journal = await recording.addSource(source);
    return new SourcePipeline({ sourceId: source.sourceId, vad, uplink: recording.uplink, journal });
  };

  const endSource = async (sourceId: SourceId): Promise<void> => {
    const source = sources.get(sourceId);
    sources.delete(sourceId);
    await source?.end();
  };

  return {
    async open(config, engine) {
      await holdRecording(config.sessionId);
      const parts = effects();
      void sweep(parts.database);
      const [vad, recording] = await Promise.all([startVad(), Recording.open(config, [], engine, parts)]);
      open = { vad, recording };
      return { vadTier: vad.tier, journal: recording.journalKind };
    },

    async addLive(source, pcm) {
      const { sourceId } = source;
      const live = new LiveSource(await newPipeline(source), pcm, paused, {
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
      sources.set(sourceId, live);
    },

    async addFile(source, file) {
      const decoded = await DecodedFile.open(file);
      const reading = new FileSource(await newPipeline(source), paused, events);
      sources.set(source.sourceId, reading);
      try {
        await reading.import(decoded);
      } catch (thrown) {
        throw toUnisonoError(thrown);
      } finally {
        sources.delete(source.sourceId);
      }
    },

    updateSettings(settings) {
      session().recording.updateSettings(settings);
      return Promise.resolve();
    },

    endSource,

    async setPaused(value) {
      paused = value;
      await Promise.all([...sources.values()].map((source) => source.setPaused(value)));
    },

    async close() {
      await Promise.all([...sources.keys()].map(endSource));
    },

    finish: (keepAudio) => session().recording.finish(keepAudio),

    async recover(config, engine, keepAudio) {
      if (!(await holdRecording(config.sessionId))) return false;
      const parts = effects();
      void sweep(parts.database);
      return recoverRecording(config, engine, startVad, keepAudio, parts);
    },

    ...(__TEST_HOOKS__ && {
      failVad: () => {
        session().vad.failNext();
        return Promise.resolve();
      },
    }),
  };
}
