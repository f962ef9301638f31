import { createContext } from 'svelte';
import { parseLink, type LinkRequest } from '@core/links.ts';
import type {
  EngineEvent,
  HealthEntry,
  ModelId,
  ModelStatus,
  RecognizerId,
  SessionEvent,
} from '@core/protocol/engine.ts';
import { ERROR_CODES, fromWire, toUnisonoError, UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import type { Owner, TabState } from '@core/protocol/tabs.ts';
import { LANGUAGES } from '@core/transcript/types.ts';
import { isTranslator } from '@core/translation/directions.ts';
import type { SourceRequest } from '@src/capture/capture-session.ts';
import { keepStorage, reloadOnce, whenIdle } from '@src/page/lifecycle.ts';
import { measureMemory } from '@src/page/memory.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import type { CaptureStarter, Engine, PageState } from './engine.ts';
import { CaptionsStore } from './captions.svelte.ts';
import { EngineStatusStore } from './engine-status.svelte.ts';
import { GlossaryStore } from './glossary.svelte.ts';
import { LocaleStore } from './locale.svelte.ts';
import { MeetingsStore } from './meetings.svelte.ts';
import { MicrophonesStore } from './microphones.svelte.ts';
import { NoticesStore } from './notices.svelte.ts';
import { PanelStore } from './panel.svelte.ts';
import { PrivacyStore } from './privacy.svelte.ts';
import { RecorderStore } from './recorder.svelte.ts';
import { RecoveryStore } from './recovery.svelte.ts';
import { SettingsStore, type Settings, type SourceChoice } from './settings.svelte.ts';
import { SourcesStore } from './sources.svelte.ts';
import { TabsStore } from './tabs.svelte.ts';
import { TranscriptsStore } from './transcripts.svelte.ts';
import { TranslationsStore } from './translations.svelte.ts';
import { TranslatorCare } from './translator-care.ts';

export interface AppParts {
  readonly engine: Engine;
  readonly capture: CaptureStarter;
  /** Differs in tests only. */
  readonly database?: Promise<UnisonoDatabase>;
  readonly reload?: () => void;
  readonly measureMemory?: () => Promise<number | null>;
}

type RecognitionChange = Partial<Pick<Settings, 'recognizer' | 'languages' | 'chineseScript'>>;

const SOURCE_OF_LINK = { mic: 'microphone', tab: 'tab', both: 'both' } as const;

/** All state of the page, wired together: what a press of a button does is a method here or of one store. */
export class App {
  readonly settings = new SettingsStore();
  readonly locale = new LocaleStore();
  readonly notices = new NoticesStore();
  readonly glossary = new GlossaryStore((error) => this.notices.report(error));
  readonly panel = new PanelStore();
  readonly privacy = new PrivacyStore();
  readonly sources = new SourcesStore();
  readonly status = new EngineStatusStore();
  readonly microphones = new MicrophonesStore();
  readonly transcripts: TranscriptsStore;
  readonly translations: TranslationsStore;
  readonly translators: TranslatorCare;
  readonly captions: CaptionsStore;
  readonly meetings: MeetingsStore;
  readonly recorder: RecorderStore;
  readonly recovery: RecoveryStore;
  readonly tabs: TabsStore;
  readonly canShareTab = 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
  readonly #engine: Engine;
  readonly #reload: () => void;
  /** The engine that was asked to make the model ready; null before the page has started. */
  #preparedBy: Epoch | 0 | null = null;
  /** As they were when they last changed. */
  #tabs: readonly TabState[] = [];

  constructor(parts: AppParts) {
    const { engine, capture, database = openDatabase(), reload = () => location.reload() } = parts;
    this.#engine = engine;
    this.#reload = reload;
    const { settings, status } = this;
    const onError = (error: UnisonoError) => this.notices.report(error);
    this.transcripts = new TranscriptsStore((id) => this.meetings.load(id));
    this.captions = new CaptionsStore(this.transcripts, this.panel);
    this.meetings = new MeetingsStore(database, this.transcripts, onError);
    this.translations = new TranslationsStore({
      engine,
      database,
      settings,
      transcripts: this.transcripts,
      status,
      glossary: () => this.glossary.entries,
      onError,
      onBrowser: (trouble) => this.translators.onBrowser(trouble),
    });
    const { translations, notices, panel } = this;
    this.translators = new TranslatorCare({ engine, status, translations, notices, panel });
    this.tabs = new TabsStore(engine, parts.measureMemory ?? measureMemory);
    this.recorder = new RecorderStore({
      engine,
      capture,
      settings,
      sources: this.sources,
      transcripts: this.transcripts,
      status,
      notices: this.notices,
      microphoneName: (deviceId) => this.microphones.nameOf(deviceId),
      saveMeeting: (meeting) => this.meetings.save(meeting),
      onFinished: (id) => this.#finished(id),
    });
    this.recovery = new RecoveryStore({
      engine,
      capture,
      database,
      settings,
      status,
      onError,
      onBegin: (id) => void this.#recovering(id),
      onFailed: () => this.#recovered(),
      onOver: (id) => this.#over(id),
    });
    engine.subscribe((event) => this.#onEvent(event));
    engine.onOwner((owner) => this.#onOwner(owner));
    engine.presence.onChange(() => this.#onTabs());
    engine.onForeignProtocol((version) => this.#onForeignProtocol(version));
    if (engine.singleTab) this.notices.show({ code: 'single-tab', level: 'info', action: null });
    this.#handleNotices();
  }

  /** What the other tabs and the election must know of this page. */
  get pageState(): PageState {
    const { sessionId, isFinishing, state } = this.recorder;
    return {
      // Until its meeting is stored the others find nothing to show.
      recording: sessionId && state !== 'starting' ? [sessionId] : [],
      working: sessionId !== null || isFinishing || this.recovery.running.length > 0,
    };
  }

  /** How far the words of this tab's recordings, and of the meeting on the screen, are behind. */
  get lagMs(): number {
    const shown = this.transcripts.shown?.meeting.id;
    const sessions = shown ? [...this.recorder.sessions, shown] : this.recorder.sessions;
    return Math.max(0, ...sessions.map((id) => this.status.lagMs(id)));
  }

  tell(state: PageState): void {
    this.#engine.update(state);
  }

  /**
   * Does what the page's address asks for, or else shows the last meeting; then makes the model ready.
   * @param query `location.search`
   * @param mayLoad settles when models may be fetched
   */
  async start(query: string, mayLoad: Promise<void>): Promise<void> {
    void this.microphones.refresh();
    const { request, target, problems } = parseLink(query);
    if (target) this.translations.override(target === 'none' ? null : target);
    if (request) this.#follow(request);
    const restored = request ? this.meetings.refresh() : this.meetings.restore();
    void restored.then(() => this.#look());
    void this.#joinRunning();
    if (problems.length > 0) this.notices.report(new UnisonoError('link-invalid', query), problems);
    await Promise.all([restored, mayLoad]);
    whenIdle(() => {
      this.#preparedBy = this.#engine.owner?.epoch ?? 0;
      void this.#loadModel();
    });
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

  async retest(model: ModelId): Promise<void> {
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
      this.status.addAllHealth(await this.#engine.health());
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
    this.transcripts.end(id);
    await this.meetings.settle(id);
    // What its capture worker could not finish is there to be recovered.
    await this.#look();
  }

  /** A session of another tab is over, or one that was recovered. */
  async #over(id: SessionId): Promise<void> {
    this.transcripts.end(id);
    this.#recovered();
    await this.meetings.settle(id);
  }

  #recovered(): void {
    if (this.recovery.running.length === 0) this.notices.clear('recovering');
  }

  async #recovering(id: SessionId): Promise<void> {
    const free = !this.recorder.isActive && this.meetings.showsNoChoice;
    const run = () => void this.meetings.open(id);
    const action = free ? null : ({ kind: 'show-recovered', run } as const);
    this.notices.show({ code: 'recovering', level: 'info', action });
    await this.transcripts.join(id, this.#engine.tab);
    if (free) this.transcripts.show(id);
    await this.meetings.refresh();
  }

  /** Recordings that no tab of this list feeds are to be recovered. */
  #look(): Promise<void> {
    return this.recovery.check((id) => this.recorder.owns(id));
  }

  async #joinRunning(): Promise<void> {
    try {
      for (const { sessionId, tab } of await this.#engine.sessions()) await this.#join(sessionId, tab);
    } catch (error) {
      this.notices.report(toUnisonoError(error));
    }
  }

  /** Another tab records: it is live here too, and finished here if that tab dies. */
  async #join(id: SessionId, tab: TabId): Promise<void> {
    if (this.recorder.owns(id)) return;
    if (tab !== this.#engine.tab) this.recovery.watch(id);
    await this.transcripts.join(id, tab);
    await this.meetings.refresh();
  }

  #onTabs(): void {
    const before = this.#tabs;
    this.#tabs = this.tabs.list;
    for (const { sessionId, tab } of this.tabs.recordedElsewhere) {
      const known = before.find((state) => state.tab === tab)?.recording.includes(sessionId);
      const joined = known && this.transcripts.isLive(sessionId);
      if (!joined && !this.transcripts.isOver(sessionId)) void this.#join(sessionId, tab);
    }
    // The recording of a tab that is gone waits to be recovered.
    if (idsOf(this.#tabs) !== idsOf(before)) void this.#look();
  }

  #onOwner(owner: Owner | null): void {
    if (!owner) return;
    this.notices.clear('no-engine', 'engine-lost');
    if (this.#preparedBy === null || this.#preparedBy === owner.epoch) return;
    this.#preparedBy = owner.epoch;
    void this.#loadModel();
  }

  /** Another build took over: this page is made anew once, unless it records, and then says so. */
  #onForeignProtocol(version: number): void {
    if (!this.recorder.wouldLoseWords && reloadOnce(version, this.#reload)) return;
    this.notices.report(new UnisonoError('other-protocol', `Another tab speaks protocol ${version}.`));
  }

  #onEvent(event: EngineEvent): void {
    this.transcripts.apply(event);
    this.translations.apply(event);
    this.status.apply(event);
    if (event.type === 'session') this.#onSession(event);
    else if (event.type === 'health') this.#reportHealth(event.entry);
    else if (event.type === 'storage') {
      if (event.error) this.notices.report(fromWire(event.error));
      else this.notices.clear('storage-full', 'storage-failed');
    } else if (event.type === 'model') this.#onModel(event.status);
  }

  #onModel(status: ModelStatus): void {
    if (isTranslator(status.model)) this.translators.onStatus(status);
    else if (status.state === 'failed' && status.error) this.notices.report(fromWire(status.error));
  }

  #onSession({ sessionId, tab, state }: SessionEvent): void {
    if (this.recorder.owns(sessionId)) return;
    if (state === 'open') void this.#join(sessionId, tab);
    else {
      this.status.endSession(sessionId);
      void this.#over(sessionId);
    }
  }

  /** A health entry whose code is one a person should know of is also said where they look. */
  #reportHealth({ level, scope, code, message }: HealthEntry): void {
    if (code === 'engine-boot-failed') {
      this.notices.show({ code: 'no-engine', level: 'warning', action: null, details: [message] });
    }
    const known = ERROR_CODES.find((errorCode) => errorCode === code);
    // Of a model that failed its status tells, which knows what the model is for.
    const saidAlready = scope === 'model' && level === 'error';
    if (known && level !== 'info' && !saidAlready) this.notices.report(new UnisonoError(known, message));
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
    this.notices.handle('fetch-browser-model', () => this.translations.browser.fetch());
    this.notices.handle('retry-browser-model', () => this.translations.browser.fetch());
    this.notices.handle('own-translator', () => this.settings.set({ translator: 'unisono' }));
    this.notices.handle('reload', () => this.#reload());
  }
}

const idsOf = (tabs: readonly TabState[]): string => tabs.map(({ tab }) => tab).join();

export const [useApp, provideApp] = createContext<App>();
