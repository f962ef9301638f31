import { deleteDB } from 'idb';
import { flushSync, mount, unmount } from 'svelte';
import type { JournalKind } from '@core/protocol/capture.ts';
import type { EngineEvent, EngineReport, ModelStatus, SessionEvent } from '@core/protocol/engine.ts';
import type { Epoch, SessionId, SourceId, TabId } from '@core/protocol/ids.ts';
import type { Owner, TabState } from '@core/protocol/tabs.ts';
import { textOf } from '@core/transcript/types.ts';
import type { TranslationView } from '@core/translation/types.ts';
import AppView from '@src/App.svelte';
import type { CaptureHandlers, RecoveryHandlers } from '@src/capture/capture-session.ts';
import { openDatabase, type UnisonoDatabase } from '@src/storage/database.ts';
import { App } from '@src/stores/app.svelte.ts';
import type { Capture, CaptureStarter, Engine, PageState } from '@src/stores/engine.ts';
import '@src/ui/tokens.css';
import '@src/ui/base.css';

const DATABASE = 'unisono-screen-test';
export const THIS_TAB = 'this-tab' as TabId;
export const OTHER_TAB = 'other-tab' as TabId;

export const ownerOf = (tab: TabId, phase: Owner['phase'] = 'ready', epoch = 1): Owner => ({
  epoch: epoch as Epoch,
  tab,
  build: 1,
  phase,
});

export const tabState = (tab: TabId, change: Partial<TabState> = {}): TabState => ({
  tab,
  build: 1,
  openedAtMs: new Date(2026, 2, 1, 9).getTime(),
  visible: true,
  recording: [],
  ...change,
});

/** What may differ between browsers, or be the case before the page opens. */
export interface Circumstances {
  readonly journal?: JournalKind;
  readonly singleTab?: boolean;
  readonly owner?: Owner | null;
  readonly sessions?: readonly Omit<SessionEvent, 'type' | 'state'>[];
  readonly models?: readonly ModelStatus[];
}

/**
 * The whole page with a script in place of microphone, models and other tabs: what they would report is reported by
 * the test, and what they are asked to do is written down. As the engine does, it stores the words it publishes.
 */
export class Screen {
  readonly calls: string[] = [];
  readonly app: App;
  readonly root: HTMLElement;
  readonly database: Promise<UnisonoDatabase> = openDatabase(DATABASE);
  handlers!: CaptureHandlers;
  /** Of the recording that is being recovered; resolve `recovered` when it is finished. */
  recovery: { sessionId: SessionId; handlers: RecoveryHandlers; done: PromiseWithResolvers<boolean> } | null =
    null;
  /** What the engine was told to translate, the latest last. */
  readonly views: (TranslationView | null)[] = [];
  /** Makes the next sources fail. */
  refuse: Error | null = null;
  /** While it is set, stopped recordings are not finished: their words wait for an engine. */
  engineComes: Promise<void> | null = null;
  report: EngineReport = {
    epoch: 1 as Epoch,
    tab: THIS_TAB,
    build: 1,
    sinceMs: 0,
    loads: [],
    modelBytes: 0,
    clients: 1,
    sessions: [],
    queued: 0,
  };
  readonly #circumstances: Circumstances;
  readonly #view: ReturnType<typeof mount>;
  readonly #ownerListeners: ((owner: Owner | null) => void)[] = [];
  readonly #tabListeners: (() => void)[] = [];
  #foreign: (version: number) => void = () => undefined;
  #owner: Owner | null;
  #tabs: readonly TabState[] = [tabState(THIS_TAB)];
  #publish!: (event: EngineEvent) => void;
  #stored: Promise<void> = Promise.resolve();
  #sources = 0;

  private constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances;
    this.#owner = circumstances.owner === undefined ? ownerOf(THIS_TAB) : circumstances.owner;
    this.app = new App({
      engine: this.#engine(),
      capture: this.#capture,
      database: this.database,
      reload: () => this.calls.push('reload'),
      measureMemory: () => Promise.resolve(1_200_000_000),
    });
    this.root = document.createElement('div');
    this.root.id = 'app';
    document.body.append(this.root);
    this.#view = mount(AppView, { target: this.root, props: { app: this.app } });
  }

  /** A page that has never been opened. */
  static async open(query = '', circumstances: Circumstances = {}): Promise<Screen> {
    await Screen.forget();
    return Screen.reopen(query, circumstances);
  }

  /** What earlier pages left behind is gone. */
  static async forget(): Promise<void> {
    localStorage.clear();
    sessionStorage.clear();
    await deleteDB(DATABASE);
  }

  /** What earlier pages left behind. */
  static stored<Result>(work: (database: UnisonoDatabase) => Promise<Result>): Promise<Result> {
    return openDatabase(DATABASE).then(async (database) => {
      const result = await work(database);
      database.close();
      return result;
    });
  }

  /** The page as after a reload. */
  static async reopen(query = '', circumstances: Circumstances = {}): Promise<Screen> {
    const screen = new Screen(circumstances);
    await screen.app.start(query, Promise.resolve());
    flushSync();
    return screen;
  }

  async close(): Promise<void> {
    await unmount(this.#view);
    this.root.remove();
    await this.#stored;
    (await this.database).close();
  }

  /** An event of the engine. Words and translations are stored as the engine stores them: {@link settled}. */
  publish(event: EngineEvent): void {
    this.#publish(event);
    flushSync();
    if (event.type === 'translation')
      this.#stored = this.#stored.then(async () => {
        await (await this.database).put('translations', event.translation);
      });
    else if (event.type === 'segment' || event.type === 'segment-dropped')
      this.#stored = this.#stored.then(() => this.#store(event));
  }

  /** Everything published so far is stored. */
  settled(): Promise<void> {
    return this.#stored;
  }

  setOwner(owner: Owner | null): void {
    this.#owner = owner;
    for (const listener of this.#ownerListeners) listener(owner);
    flushSync();
  }

  setTabs(...others: readonly TabState[]): void {
    this.#tabs = [tabState(THIS_TAB), ...others];
    for (const listener of this.#tabListeners) listener();
    flushSync();
  }

  /** A tab of a build with another protocol is there. */
  meetForeign(version: number): void {
    this.#foreign(version);
    flushSync();
  }

  find(selector: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`The page has no ${selector}`);
    return found;
  }

  all(selector: string): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(selector)];
  }

  async #store(event: Extract<EngineEvent, { type: 'segment' | 'segment-dropped' }>): Promise<void> {
    const transaction = (await this.database).transaction(['sessions', 'segments'], 'readwrite');
    const [sessions, segments] = [transaction.objectStore('sessions'), transaction.objectStore('segments')];
    const meeting = await sessions.get(event.sessionId);
    if (!meeting) return;
    if (event.type === 'segment-dropped') await segments.delete([event.sessionId, event.segmentId]);
    else {
      const { segment, sessionId } = event;
      await segments.put({ sessionId, segment });
      const durationMs = Math.max(meeting.durationMs, segment.endMs);
      await sessions.put({ ...meeting, durationMs, preview: meeting.preview || textOf(segment.committed) });
    }
    await transaction.done;
  }

  #engine(): Engine {
    const owner = () => this.#owner;
    const tabs = () => this.#tabs;
    return {
      tab: THIS_TAB,
      singleTab: this.#circumstances.singleTab ?? false,
      get owner() {
        return owner();
      },
      presence: {
        get tabs() {
          return tabs();
        },
        onChange: (listener) => {
          this.#tabListeners.push(listener);
          return () => undefined;
        },
        refresh: () => Promise.resolve(),
      },
      prepare: (model) => {
        this.calls.push(`prepare ${model}`);
        return Promise.resolve({
          model,
          state: 'ready',
          rung: 'wasm',
          progress: null,
          selfTest: [],
          error: null,
        });
      },
      models: () => Promise.resolve(this.#circumstances.models ?? []),
      health: () => Promise.resolve([]),
      report: () => Promise.resolve(this.report),
      retest: () => Promise.reject(new Error('not used')),
      translate: (view) => {
        this.views.push(view);
        return Promise.resolve();
      },
      sessions: () => Promise.resolve(this.#circumstances.sessions ?? []),
      subscribe: (listener) => {
        this.#publish = listener;
        return () => undefined;
      },
      onOwner: (listener) => {
        this.#ownerListeners.push(listener);
        return () => undefined;
      },
      onForeignProtocol: (listener) => {
        this.#foreign = listener;
        return () => undefined;
      },
      openPort: () => new MessageChannel().port1,
      update: ({ recording, working }: Partial<PageState>) => {
        if (recording) this.calls.push(`recording ${recording.length}${working ? ' working' : ''}`);
      },
    };
  }

  readonly #capture: CaptureStarter = {
    start: ({ settings }, _port, handlers) => {
      this.handlers = handlers;
      this.calls.push(`open ${settings.recognizer} ${settings.languages.join()}`);
      const capture: Capture = {
        journal: this.#circumstances.journal ?? 'opfs',
        addSource: (request) => {
          this.calls.push(`add ${request.kind}`);
          if (this.refuse) return Promise.reject(this.refuse);
          const sourceId = `${request.kind}-${++this.#sources}` as SourceId;
          return Promise.resolve({ sourceId, kind: request.kind, offsetMs: 0 });
        },
        removeSource: (sourceId) => {
          this.calls.push(`remove ${sourceId}`);
          handlers.sourceEnded({ sourceId, error: null });
          return Promise.resolve();
        },
        updateSettings: ({ recognizer, languages }) => {
          this.calls.push(`update ${recognizer} ${languages.join()}`);
          return Promise.resolve();
        },
        setPaused: (paused) => {
          this.calls.push(paused ? 'pause' : 'resume');
          return Promise.resolve();
        },
        stop: () => {
          this.calls.push('stop');
          return Promise.resolve();
        },
        finish: async (keepAudio) => {
          this.calls.push(keepAudio ? 'finish, audio kept' : 'finish');
          await this.engineComes;
          await this.#stored;
          return { partialCalls: 0, finalCalls: 0, decodedAudioS: 0, utterances: 0, dropped: 0 };
        },
      };
      return Promise.resolve(capture);
    },
    recover: ({ sessionId }, _port, _keepAudio, handlers) => {
      this.calls.push(`recover ${sessionId}`);
      this.recovery = { sessionId, handlers, done: Promise.withResolvers() };
      return this.recovery.done.promise;
    },
  };
}
