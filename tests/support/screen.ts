import { deleteDB } from 'idb';
import { flushSync, mount, unmount } from 'svelte';
import type { EngineEvent } from '@core/protocol/engine.ts';
import type { SourceId } from '@core/protocol/ids.ts';
import type { CaptureHandlers, CaptureSession, SourceRequest } from '@src/capture/capture-session.ts';
import AppView from '@src/App.svelte';
import { openDatabase } from '@src/storage/database.ts';
import { App, type Engine } from '@src/stores/app.svelte.ts';
import '@src/ui/tokens.css';
import '@src/ui/base.css';

const DATABASE = 'unisono-screen-test';

/**
 * The whole page with a script in place of microphone and models: what they would report is reported by
 * the test, and what they are asked to do is written down.
 */
export class Screen {
  readonly calls: string[] = [];
  readonly app: App;
  readonly root: HTMLElement;
  handlers!: CaptureHandlers;
  /** Makes the next sources fail. */
  refuse: Error | null = null;
  readonly #view: ReturnType<typeof mount>;
  #publish!: (event: EngineEvent) => void;
  #sources = 0;

  private constructor() {
    this.app = new App({
      engine: this.#engine(),
      startCapture: this.#startCapture,
      database: openDatabase(DATABASE),
    });
    this.root = document.createElement('div');
    this.root.id = 'app';
    document.body.append(this.root);
    this.#view = mount(AppView, { target: this.root, props: { app: this.app } });
  }

  /** A page that has never been opened. */
  static async open(query = ''): Promise<Screen> {
    localStorage.clear();
    await deleteDB(DATABASE);
    return Screen.reopen(query);
  }

  /** The page as after a reload. */
  static async reopen(query = ''): Promise<Screen> {
    const screen = new Screen();
    await screen.app.start(query, Promise.resolve());
    flushSync();
    return screen;
  }

  async close(): Promise<void> {
    await unmount(this.#view);
    this.root.remove();
  }

  publish(event: EngineEvent): void {
    this.#publish(event);
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

  #engine(): Engine {
    return {
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
      models: () => Promise.resolve([]),
      health: () => Promise.resolve([]),
      retest: () => Promise.reject(new Error('not used')),
      subscribe: (listener) => {
        this.#publish = listener;
        return () => undefined;
      },
      openSession: ({ settings }) => {
        this.calls.push(`open ${settings.recognizer} ${settings.languages.join()}`);
        return Promise.resolve(new MessageChannel().port1);
      },
      addSource: () => Promise.resolve(),
      updateSession: (_id, settings) => {
        this.calls.push(`update ${settings.recognizer} ${settings.languages.join()}`);
        return Promise.resolve();
      },
      closeSession: () => {
        this.calls.push('close');
        return Promise.resolve({
          partialCalls: 0,
          finalCalls: 0,
          decodedAudioS: 0,
          utterances: 0,
          dropped: 0,
        });
      },
    };
  }

  readonly #startCapture = (
    _id: unknown,
    _port: unknown,
    handlers: CaptureHandlers,
  ): Promise<CaptureSession> => {
    this.handlers = handlers;
    const capture: Pick<CaptureSession, 'addSource' | 'removeSource' | 'setPaused' | 'stop'> = {
      addSource: (request: SourceRequest) => {
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
      setPaused: (paused) => {
        this.calls.push(paused ? 'pause' : 'resume');
        return Promise.resolve();
      },
      stop: () => {
        this.calls.push('stop');
        return Promise.resolve();
      },
    };
    return Promise.resolve(capture as CaptureSession);
  };
}
