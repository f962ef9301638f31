/**
 * One per recording: keeps every source's audio in a journal, gates it and sends the speech to whichever engine there is. See
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
    backlog: (backlog) => void page.backlog.asEvent(backlog),
    vad: (change) => void page.vad.asEvent(change),
    sourceFailed: (failure) => void page.sourceFailed.asEvent(failure),
    warning: (error) => void page.warning.asEvent(error),
    health: (entry) => void page.health.asEvent(entry),
  }),
);
