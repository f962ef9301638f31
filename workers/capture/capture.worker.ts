/**
 * One per recording tab: gates every source's audio and sends the speech to the engine. See
 * `CaptureApi` for what the page can ask of it.
 */
import type { CaptureApi, CaptureEvents } from '@core/protocol/capture.ts';
import { createRpc } from '@core/protocol/rpc.ts';
import { createCaptureHost } from './capture-host.ts';

const page = createRpc<CaptureEvents, CaptureApi>(
  self,
  createCaptureHost({
    level: (level) => void page.level.asEvent(level),
    progress: (progress) => void page.progress.asEvent(progress),
    vad: (change) => void page.vad.asEvent(change),
    sourceFailed: (failure) => void page.sourceFailed.asEvent(failure),
    health: (entry) => void page.health.asEvent(entry),
  }),
);
