import { createContext } from 'svelte';
import { parseLink, type LinkRequest } from '@core/links.ts';
import type { EngineEvent, HealthEntry, RecognizerId } from '@core/protocol/engine.ts';
import { ERROR_CODES, fromWire, toUnisonoError, UnisonoError } from '@core/protocol/errors.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { LANGUAGES } from '@core/transcript/types.ts';
import type { SourceRequest } from '@src/capture/capture-session.ts';
import type { EngineClient } from '@src/engine/engine-client.ts';
import { keepStorage, whenIdle } from '@src/page/lifecycle.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import { TranscriptWriter } from '@src/storage/transcript-writer.ts';
import { EngineStatusStore } from './engine-status.svelte.ts';
import { LocaleStore } from './locale.svelte.ts';
import { MeetingsStore } from './meetings.svelte.ts';
import { MicrophonesStore } from './microphones.svelte.ts';
import { NoticesStore } from './notices.svelte.ts';
import { PanelStore } from './panel.svelte.ts';
import { PrivacyStore } from './privacy.svelte.ts';
import { RecorderStore, type RecorderParts } from './recorder.svelte.ts';
import { SettingsStore, type Settings, type SourceChoice } from './settings.svelte.ts';
import { SourcesStore } from './sources.svelte.ts';
import { TranscriptsStore } from './transcripts.svelte.ts';

/** The engine as the page uses it. */
export type Engine = Pick<EngineClient, 'prepare' | 'models' | 'health' | 'retest' | 'subscribe'> &
  RecorderParts['engine'];

export interface AppParts {
  readonly engine: Engine;
  readonly startCapture: RecorderParts['startCapture'];
  /** Differs in tests only. */
  readonly database?: Promise<UnisonoDatabase>;
}

type RecognitionChange = Partial<Pick<Settings, 'recognizer' | 'languages' | 'chineseScript'>>;

const SOURCE_OF_LINK = { mic: 'microphone', tab: 'tab', both: 'both' } as const;

/** All state of the page, wired together: what a press of a button does is a method here or of one store. */
export class App {
  readonly settings = new SettingsStore();
  readonly locale = new LocaleStore();
  readonly notices = new NoticesStore();
  readonly panel = new PanelStore();
  readonly privacy = new PrivacyStore();
  readonly sources = new SourcesStore();
  readonly status = new EngineStatusStore();
  readonly microphones = new MicrophonesStore();
  readonly transcripts: TranscriptsStore;
  readonly meetings: MeetingsStore;
  readonly recorder: RecorderStore;
  readonly canShareTab = 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
  readonly #engine: Engine;

  constructor({ engine, startCapture, database = openDatabase() }: AppParts) {
    this.#engine = engine;
    const onError = (error: UnisonoError) => this.notices.report(error);
    const writer = new TranscriptWriter(database, onError);
    this.transcripts = new TranscriptsStore((change) => writer.write(change));
    this.meetings = new MeetingsStore(database, writer, this.transcripts, onError);
    this.recorder = new RecorderStore({
      engine,
      startCapture,
      settings: this.settings,
      sources: this.sources,
      transcripts: this.transcripts,
      status: this.status,
      notices: this.notices,
      microphoneName: (deviceId) => this.microphones.nameOf(deviceId),
      onFinished: (id) => this.#finished(id),
    });
    engine.subscribe((event) => this.#onEvent(event));
    this.#handleNotices();
  }

  /**
   * Does what the page's address asks for, or else shows the last meeting; then makes the model ready.
   * @param query `location.search`
   * @param mayLoad settles when models may be fetched
   */
  async start(query: string, mayLoad: Promise<void>): Promise<void> {
    void this.microphones.refresh();
    const { request, problems } = parseLink(query);
    if (request) this.#follow(request);
    const restored = request ? this.meetings.refresh() : this.meetings.restore();
    if (problems.length > 0) this.notices.report(new UnisonoError('link-invalid', query), problems);
    await Promise.all([restored, mayLoad]);
    whenIdle(() => void this.#loadModel());
  }

  /** The record button: starts with the chosen sources, or stops. */
  async toggleRecording(): Promise<void> {
    if (this.recorder.isActive) return this.recorder.stop();
    this.notices.clear('record-requested');
    this.panel.close();
    void keepStorage();
    return this.recorder.start(this.#liveRequests());
  }

  /** Files are transcribed one after the other, each as a meeting of its own. */
  async importFiles(files: readonly File[]): Promise<void> {
    if (this.recorder.isActive) {
      this.notices.show({ code: 'busy-recording', level: 'info', action: null });
      return;
    }
    this.panel.close();
    void keepStorage();
    for (const file of files) await this.recorder.start([{ kind: 'file', file }]);
  }

  /** Changes what is captured; a running recording follows at once. */
  async chooseSource(change: Partial<Settings>): Promise<void> {
    this.settings.set(change);
    await this.recorder.replaceLive(this.#liveRequests());
  }

  async changeRecognition(change: RecognitionChange): Promise<void> {
    this.settings.set(change);
    await this.recorder.settingsChanged();
    if (change.recognizer) await this.#loadModel();
  }

  async retest(model: RecognizerId): Promise<void> {
    try {
      await this.#engine.retest(model);
    } catch (error) {
      this.notices.report(toUnisonoError(error));
    }
  }

  /** The model to make ready: the chosen one, and with the automatic choice the one for every language. */
  get #model(): RecognizerId {
    const { recognizer } = this.settings.current;
    return recognizer === 'auto' ? 'whisper-tiny' : recognizer;
  }

  async #loadModel(): Promise<void> {
    try {
      await this.#engine.prepare(this.#model);
      this.status.setModels(await this.#engine.models());
      this.status.setHealth(await this.#engine.health());
    } catch (error) {
      this.notices.report(toUnisonoError(error));
    }
  }

  #liveRequests(): SourceRequest[] {
    const settings = this.settings.current;
    const { microphoneId, noiseSuppression, autoGainControl } = settings;
    const microphone: SourceRequest = {
      kind: 'microphone',
      ...(microphoneId && { deviceId: microphoneId }),
      echoCancellation: this.settings.echoCancellation,
      noiseSuppression,
      autoGainControl,
    };
    // The browser shares a tab only shortly after a press of a button: it is asked for first.
    const requests: Record<SourceChoice, SourceRequest[]> = {
      microphone: [microphone],
      tab: [{ kind: 'tab' }],
      both: [{ kind: 'tab' }, microphone],
    };
    return requests[settings.source];
  }

  #follow({ source, language, asr }: LinkRequest): void {
    const { languages } = this.settings.current;
    const several = languages.length > 1 ? languages : [...LANGUAGES];
    this.settings.override({
      ...(source && { source: SOURCE_OF_LINK[source] }),
      ...(language && { languages: language === 'auto' ? several : [language] }),
      ...(asr && { recognizer: asr }),
    });
    // The browser shares a tab only after a press, and an address that is opened is none.
    if (this.settings.current.source === 'microphone') void this.toggleRecording();
    else {
      const run = () => void this.toggleRecording();
      this.notices.show({ code: 'record-requested', level: 'info', action: { kind: 'record', run } });
    }
  }

  async #finished(id: SessionId): Promise<void> {
    const ended = this.transcripts.end(id);
    // A recording in which nobody spoke leaves no trace.
    if (ended?.segments.length === 0) await this.meetings.remove(id);
    else await this.meetings.refresh();
  }

  #onEvent(event: EngineEvent): void {
    this.transcripts.apply(event);
    this.status.apply(event);
    if (event.type === 'health') this.#reportHealth(event.entry);
    if (event.type === 'model' && event.status.state === 'failed' && event.status.error) {
      this.notices.report(fromWire(event.status.error));
    }
  }

  /** A health entry whose code is one a person should know of is also said where they look. */
  #reportHealth({ level, code, message }: HealthEntry): void {
    const known = ERROR_CODES.find((errorCode) => errorCode === code);
    if (known && level !== 'info') this.notices.report(new UnisonoError(known, message));
  }

  #handleNotices(): void {
    const add = (kind: SourceRequest['kind']) => {
      const request = this.#liveRequests().find((wanted) => wanted.kind === kind);
      if (!this.recorder.isActive) void this.toggleRecording();
      else if (request) void this.recorder.add(request);
    };
    this.notices.handle('microphone', () => add('microphone'));
    this.notices.handle('share', () => add('tab'));
    this.notices.handle('resume-audio', () => void this.recorder.resumeAudio());
    this.notices.handle('retry-model', () => void this.#loadModel());
    this.notices.handle('reload', () => location.reload());
  }
}

export const [useApp, provideApp] = createContext<App>();
