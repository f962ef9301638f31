import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { SourceKind } from '@core/protocol/audio.ts';
import { toUnisonoError, type ErrorCode } from '@core/protocol/errors.ts';
import { newSessionId, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import type { Meeting } from '@core/transcript/meeting.ts';
import type { CaptureHandlers, SourceRequest } from '@src/capture/capture-session.ts';
import type { CaptureStarter, Engine } from './engine.ts';
import type { EngineStatusStore } from './engine-status.svelte.ts';
import type { NoticesStore } from './notices.svelte.ts';
import { newRecording, type Recording } from './recording.ts';
import type { SettingsStore } from './settings.svelte.ts';
import type { SourcesStore } from './sources.svelte.ts';
import { Stopwatch } from './stopwatch.svelte.ts';
import type { TranscriptsStore } from './transcripts.svelte.ts';

export type RecorderState = 'idle' | 'starting' | 'recording' | 'paused' | 'stopping';

export interface RecorderParts {
  readonly engine: Pick<Engine, 'tab' | 'openPort'>;
  readonly capture: Pick<CaptureStarter, 'start'>;
  readonly settings: SettingsStore;
  readonly sources: SourcesStore;
  readonly transcripts: TranscriptsStore;
  readonly status: EngineStatusStore;
  readonly notices: NoticesStore;
  /** What the microphone of this request calls itself; empty when it is not known. */
  readonly microphoneName: (deviceId: string | undefined) => string;
  /** Stores what is known of the meeting besides its words. Never rejects. */
  readonly saveMeeting: (meeting: Meeting) => Promise<void>;
  /** Called with every session that is over, when its last word is stored. */
  readonly onFinished: (id: SessionId) => Promise<void>;
}

/** Messages that no longer hold once a source of the kind is there. */
const SOLVED_BY: Record<SourceKind, ErrorCode[]> = {
  microphone: ['microphone-denied', 'microphone-missing', 'microphone-busy', 'microphone-unplugged'],
  tab: ['share-denied', 'share-without-audio', 'share-ended'],
  file: ['file-not-audio', 'file-unsupported-codec', 'file-truncated'],
};

/** Levels already under way when the sound was suspended are there long before this; later ones are new sound. */
const LATE_LEVELS_MS = 1_000;

/**
 * One recording at a time, from the press on record to stop. The audio goes from capture to engine by
 * itself, and waits in the journal while there is none; here is only what is captured, and in which state. A stopped
 * session finishes in the background, so that the next recording can start at once. Nothing here rejects: failures
 * become notices, and what was recorded stays.
 */
export class RecorderStore {
  readonly #parts: RecorderParts;
  readonly #stopwatch = new Stopwatch();
  #state = $state<RecorderState>('idle');
  readonly #finishing = new SvelteMap<SessionId, Recording>();
  #suspendedAtMs = 0;
  /** Recordings of which some is in memory only: there is no disk for them, or it is full. */
  readonly #inMemory = new SvelteSet<SessionId>();
  #recording = $state.raw<Recording | null>(null);

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  get state(): RecorderState {
    return this.#state;
  }

  get isActive(): boolean {
    return this.#state !== 'idle';
  }

  /** A stopped session still has words to come. */
  get isFinishing(): boolean {
    return this.#finishing.size > 0;
  }

  /** The sessions recorded here whose last word is not stored. */
  get sessions(): readonly SessionId[] {
    return [...(this.#recording ? [this.#recording.id] : []), ...this.#finishing.keys()];
  }

  /** The session is recorded here, or its last words are still to come. */
  owns(id: SessionId): boolean {
    return this.#recording?.id === id || this.#finishing.has(id);
  }

  /**
   * Words would be lost with the page: it records, or what it recorded is in its memory only and not all stored. From the
   * disk another tab finishes it.
   */
  get wouldLoseWords(): boolean {
    if (this.isActive) return true;
    const { status } = this.#parts;
    return this.sessions.some((id) => this.#inMemory.has(id) && status.backlogMs(id) > 0);
  }

  /** Time recorded; pauses and time without any source are left out. */
  get elapsedMs(): number {
    return this.#stopwatch.elapsedMs;
  }

  /** The session being recorded, or null. */
  get sessionId(): SessionId | null {
    return this.#state === 'idle' ? null : (this.#recording?.id ?? null);
  }

  /**
   * Starts a recording of the sources that can be had; those that cannot are reported.
   * Settles when it is over: at once if there was none, else when its last word is stored.
   */
  async start(requests: readonly SourceRequest[]): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'starting';
    let recording: Recording;
    try {
      recording = await this.#open();
    } catch (error) {
      this.#parts.notices.report(toUnisonoError(error));
      this.#state = 'idle';
      return;
    }
    this.#recording = recording;
    this.#stopwatch.reset();
    for (const request of requests) await this.add(request);
    if (this.#recording === recording) {
      if (recording.requests.size === 0) await this.stop();
      else this.#become('recording');
    }
    return recording.over.promise;
  }

  async togglePause(): Promise<void> {
    const recording = this.#recording;
    const paused = this.#state === 'recording';
    if (!recording || !(paused || this.#state === 'paused')) return;
    await this.#guard(recording.capture.setPaused(paused));
    if (this.#recording !== recording || this.#state === 'stopping') return;
    if (paused) this.#parts.sources.silence();
    this.#become(paused ? 'paused' : 'recording');
  }

  /** The browser had suspended the audio: after a press of a button it may go on. */
  async resumeAudio(): Promise<void> {
    if (!this.#recording) return;
    await this.#guard(this.#recording.capture.setPaused(false));
    if (this.#state === 'paused') this.#become('recording');
  }

  async stop(): Promise<void> {
    const recording = this.#recording;
    if (!recording || this.#state === 'stopping') return;
    this.#become('stopping');
    await this.#guard(recording.capture.stop());
    void this.#finish(recording);
    this.#recording = null;
    this.#parts.sources.clear();
    this.#become('idle');
  }

  /** Adds a source to the running recording. */
  async add(request: SourceRequest): Promise<void> {
    const recording = this.#recording;
    if (recording) await this.#guard(this.#addTo(recording, request));
  }

  async remove(sourceId: SourceId): Promise<void> {
    if (!this.#recording?.requests.has(sourceId)) return;
    await this.#guard(this.#recording.capture.removeSource(sourceId));
  }

  /** Makes the running recording capture exactly these live sources; files go on. */
  async replaceLive(requests: readonly SourceRequest[]): Promise<void> {
    const live = [...(this.#recording?.requests ?? [])].filter(([, request]) => request.kind !== 'file');
    const among = (list: readonly SourceRequest[], request: SourceRequest) =>
      list.some((other) => JSON.stringify(other) === JSON.stringify(request));
    const missing = requests.filter(
      (request) =>
        !among(
          live.map(([, known]) => known),
          request,
        ),
    );
    for (const request of missing) await this.add(request);
    for (const [sourceId, request] of live) if (!among(requests, request)) await this.remove(sourceId);
  }

  /** Passes changed languages, model or script on to the running recording. */
  async settingsChanged(): Promise<void> {
    const { settings } = this.#parts;
    if (this.#recording) await this.#guard(this.#recording.capture.updateSettings(settings.recognition));
  }

  async #open(): Promise<Recording> {
    const { engine, settings, capture, notices } = this.#parts;
    const sessionId = newSessionId();
    const config = { sessionId, tab: engine.tab, settings: settings.recognition };
    const started = await capture.start(config, engine.openPort(sessionId), this.#handlers(sessionId));
    if (started.journal === 'memory') {
      this.#inMemory.add(sessionId);
      notices.show({ code: 'memory-journal', level: 'warning', action: null });
    }
    return newRecording(sessionId, started);
  }

  async #addTo(recording: Recording, request: SourceRequest): Promise<void> {
    const { sources, transcripts, saveMeeting } = this.#parts;
    const { id, startedAtMs, capture, requests } = recording;
    const description = await capture.addSource(request);
    if (this.#recording !== recording) return; // stopped while the user was being asked
    requests.set(description.sourceId, request);
    if (!transcripts.isLive(id)) {
      const settings = this.#parts.settings.recognition;
      transcripts.begin({ id, startedAtMs, durationMs: 0, sources: [], settings, preview: '' });
    }
    this.#parts.notices.clear(...SOLVED_BY[request.kind]);
    const name = this.#nameOf(request);
    sources.add(description, name);
    const meeting = transcripts.addSource(id, { ...description, name });
    this.#runStopwatch();
    if (meeting) await saveMeeting(meeting);
    if (recording.endedEarly.has(description.sourceId)) this.#sourceGone(description.sourceId);
  }

  #nameOf(request: SourceRequest): string {
    if (request.kind === 'file') return request.file.name;
    return request.kind === 'microphone' ? this.#parts.microphoneName(request.deviceId) : '';
  }

  #handlers(id: SessionId): CaptureHandlers {
    const { sources, status, notices } = this.#parts;
    return {
      level: (level) => {
        sources.setLevel(level);
        if (level.speech) notices.clear('microphone-muted');
        if (performance.now() - this.#suspendedAtMs > LATE_LEVELS_MS) notices.clear('audio-suspended');
      },
      progress: (progress) => sources.setProgress(progress),
      vad: (change) => status.setVad(change),
      sourceEnded: ({ sourceId, error }) => {
        if (error) notices.report(error);
        this.#sourceGone(sourceId);
      },
      warning: (error) => {
        if (error.code === 'storage-full') this.#inMemory.add(id);
        if (error.code === 'audio-suspended') this.#suspendedAtMs = performance.now();
        notices.report(error);
      },
      backlog: (backlog) => status.setBacklog(id, backlog),
      health: (entry) => status.addHealth(entry),
    };
  }

  /** A live recording waits for its source to come back; a file that has been read is done. */
  #sourceGone(sourceId: SourceId): void {
    const recording = this.#recording;
    if (!recording) return;
    const request = recording.requests.get(sourceId);
    if (!request) {
      recording.endedEarly.add(sourceId);
      return;
    }
    recording.requests.delete(sourceId);
    this.#parts.sources.remove(sourceId);
    this.#runStopwatch();
    if (request.kind === 'file' && recording.requests.size === 0) void this.stop();
  }

  async #finish(recording: Recording): Promise<void> {
    const { id, capture, over } = recording;
    const { settings, status, onFinished } = this.#parts;
    this.#finishing.set(id, recording);
    await this.#guard(capture.finish(settings.current.keepAudio));
    this.#finishing.delete(id);
    this.#inMemory.delete(id);
    status.endSession(id);
    await onFinished(id);
    over.resolve();
  }

  #become(state: RecorderState): void {
    this.#state = state;
    this.#runStopwatch();
  }

  #runStopwatch(): void {
    const listening = this.#state === 'recording' && (this.#recording?.requests.size ?? 0) > 0;
    if (listening) this.#stopwatch.start();
    else this.#stopwatch.stop();
  }

  async #guard(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#parts.notices.report(toUnisonoError(error));
    }
  }
}
