import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import { exportTranscript, type ExportFormat } from '@src/export/formats.ts';
import { toTxt } from '@src/export/txt.ts';
import { wordingOf, type Wording } from '@src/export/wording.ts';
import { downloadFile } from '@src/page/files.ts';
import type { App } from '@src/stores/app.svelte.ts';
import type { EngineStatusStore } from '@src/stores/engine-status.svelte.ts';
import type { GlossaryStore } from '@src/stores/glossary.svelte.ts';
import type { TabsStore } from '@src/stores/tabs.svelte.ts';
import { sourceLabeller } from './text.ts';

type Reading = Pick<App, 'settings' | 'translations'>;

const chosenWording = ({ settings, translations }: Reading, { segments }: MeetingTranscript): Wording =>
  wordingOf(segments, translations, settings.current.exportedText);

/** In the languages that are chosen for exports. */
export function downloadTranscript(app: Reading, transcript: MeetingTranscript, format: ExportFormat): void {
  const wording = chosenWording(app, transcript);
  downloadFile(exportTranscript(transcript, format, wording, sourceLabeller(transcript.meeting)));
}

/** As text, in the languages that are chosen for exports. */
export async function copyTranscript(app: Reading, transcript: MeetingTranscript): Promise<void> {
  const text = toTxt(transcript, chosenWording(app, transcript), sourceLabeller(transcript.meeting));
  await navigator.clipboard.writeText(text);
}

export function downloadGlossary(glossary: GlossaryStore): void {
  downloadFile(glossary.exportCsv());
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
