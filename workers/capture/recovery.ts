import { BLOCK_SAMPLES, samplesToMs } from '@core/protocol/audio.ts';
import type { CaptureConfig } from '@core/protocol/capture.ts';
import { sampleIndex, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { keysOf, type UnisonoDatabase } from '@src/storage/database.ts';
import type { DecodedBlock } from './file-decoder.ts';
import { FileSource } from './file-source.ts';
import type { Journal } from './journal.ts';
import { Recording, type RecordingEffects } from './recording.ts';
import { SourcePipeline } from './source-pipeline.ts';
import type { VadRunner } from './vad-runner.ts';

/** What the detector hears before the first sample that counts. */
const WARM_UP_BLOCKS = 32;

/** The blocks of [start, end); the last is filled up with silence. */
function* blocksOf(journal: Journal, start: number, end: number): Generator<DecodedBlock, void, void> {
  for (let at = start; at < end; at += BLOCK_SAMPLES) {
    const samples = Math.min(BLOCK_SAMPLES, end - at);
    const block = new Float32Array(BLOCK_SAMPLES);
    block.set(journal.read(at, at + samples));
    yield { block, samples };
  }
}

/** What was read and not acknowledged is read again, from another place perhaps: the old reading would stand beside the new. */
async function removeUnacknowledged(
  database: UnisonoDatabase,
  sessionId: SessionId,
  sourceId: SourceId,
  from: number,
): Promise<void> {
  const transaction = database.transaction('segments', 'readwrite');
  for (const [, segmentId] of await transaction.store.getAllKeys(keysOf(sessionId))) {
    // A segment's id is its source and its first sample.
    if (!segmentId.startsWith(`${sourceId}-`)) continue;
    if (Number(segmentId.slice(sourceId.length + 1)) >= from)
      await transaction.store.delete([sessionId, segmentId]);
  }
  await transaction.done;
}

/**
 * Goes on with a recording whose worker died, from its record and its journals: reads what no engine has stored, behind what
 * is live, until all of it is. False when there is no such recording.
 */
export async function recoverRecording(
  config: Pick<CaptureConfig, 'sessionId' | 'tab'>,
  engine: MessagePort,
  startVad: () => Promise<VadRunner>,
  keepAudio: boolean,
  effects: Omit<RecordingEffects, 'acknowledged'>,
): Promise<boolean> {
  const { sessionId, tab } = config;
  const database = await effects.database;
  const left = await database.get('recordings', sessionId);
  if (!left) return false;
  const stored = await database.getAll('progress', keysOf(sessionId));
  const sources = left.sources.map((source) => {
    const progress = stored.find(({ sourceId }) => sourceId === source.sourceId);
    return { ...source, recoveredFrom: progress?.acknowledged ?? sampleIndex(0) };
  });
  const vad = await startVad();
  const reading = new Map<SourceId, FileSource>();
  const recording = await Recording.open({ sessionId, tab, settings: left.settings }, sources, engine, {
    ...effects,
    acknowledged: (sourceId) => reading.get(sourceId)?.acknowledged(),
  });
  const { uplink } = recording;
  // From then on no other engine or worker says anything of this session.
  await uplink.opened;
  const read = async (sourceId: SourceId): Promise<void> => {
    const origin = uplink.acknowledgedUpTo(sourceId);
    await removeUnacknowledged(database, sessionId, sourceId, origin);
    const journal = recording.journalOf(sourceId);
    const pipeline = new SourcePipeline({ sourceId, vad, uplink, journal: null, origin });
    const before = Math.max(0, origin - WARM_UP_BLOCKS * BLOCK_SAMPLES);
    for (const { block } of blocksOf(journal, before, Math.min(origin, journal.samples)))
      await pipeline.warmUp(block);
    const source = new FileSource(pipeline, false, effects.events);
    reading.set(sourceId, source);
    await source.import({
      totalMs: samplesToMs(journal.samples),
      blocks: () => blocksOf(journal, origin, journal.samples),
    });
  };
  await Promise.all(sources.map(({ sourceId }) => read(sourceId)));
  await recording.finish(keepAudio);
  return true;
}
