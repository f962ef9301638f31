import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { exportTranscript, type ExportFormat } from '@src/export/formats.ts';
import { toTxt } from '@src/export/txt.ts';
import { downloadFile } from '@src/page/files.ts';
import type { EngineStatusStore } from '@src/stores/engine-status.svelte.ts';
import type { TabsStore } from '@src/stores/tabs.svelte.ts';
import { sourceLabeller } from './text.ts';

export function downloadTranscript(transcript: MeetingTranscript, format: ExportFormat): void {
  downloadFile(exportTranscript(transcript, format, sourceLabeller(transcript.meeting)));
}

export async function copyTranscript(transcript: MeetingTranscript): Promise<void> {
  await navigator.clipboard.writeText(toTxt(transcript, sourceLabeller(transcript.meeting)));
}

/** What a developer needs to understand a device: models, self-tests, tabs, the engine and events, never words. */
export async function downloadHealth(status: EngineStatusStore, tabs: TabsStore): Promise<void> {
  await tabs.refresh();
  const report = {
    version: __APP_VERSION__,
    build: __BUILD__,
    userAgent: navigator.userAgent,
    vad: status.vad,
    models: [...status.models.values()],
    tabs: tabs.list,
    owner: tabs.owner,
    engine: tabs.report,
    health: status.health,
  };
  downloadFile({
    name: 'unisono-health.json',
    mimeType: 'application/json',
    content: `${JSON.stringify(report, null, 2)}\n`,
  });
}
