import { UnisonoError } from '@core/protocol/errors.ts';
import { BLOCK_SAMPLES } from '@core/protocol/audio.ts';
import type { RecognitionSettings, SourceDescription } from '@core/protocol/engine.ts';
import { sampleIndex, type SessionId, type SourceId } from '@core/protocol/ids.ts';
import { CHANNELS, LOCKS, PROTOCOL, type ControlMessage, type Envelope } from '@core/protocol/tabs.ts';
import { Candidate, type Ownership } from '@core/tabs/election.ts';
import type { RunningEngine } from '@core/tabs/tenure.ts';
import { EngineConnection } from '@core/tabs/engine-connection.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { Presence } from '@core/tabs/presence.ts';
import type { Transport } from '@core/tabs/transport.ts';
import { holdLock } from '@core/util/locks.ts';
import { Shield } from '@src/page/shield.ts';
import type { StoredRecording } from '@src/storage/database.ts';
import { Journal } from '@workers/capture/journal.ts';
import { SpeechSender } from '@workers/capture/speech-sender.ts';
import { Uplink } from '@workers/capture/uplink.ts';
import { Clients, runningEngine } from '@workers/engine/clients.ts';
import { createEngine } from '@workers/engine/engine.ts';
import { LocalPorts } from '@workers/engine/local-ports.ts';
import { SimDisk, type SimFile } from './sim-disk.ts';
import { silentBlock, spokenBlock } from './spoken.ts';
import type { SimTab, SimThread, World } from './world.ts';

export const SETTINGS: RecognitionSettings = {
  recognizer: 'whisper-tiny',
  languages: ['en'],
  chineseScript: 'simplified',
};

const BLOCK_MS = 32;
/** Blocks come in packets, or the walk would spend its time on timers. */
const TICK_BLOCKS = 16;

/** What a recording has been given to hear, for the reckoning at the end. */
export interface Said {
  readonly session: SessionId;
  readonly source: SourceId;
  readonly file: SimFile;
  /** First sample of each spoken block, by its number less one. */
  readonly blocks: number[];
  /** Its tab died: only what is on the disk can be asked for. */
  crashed: boolean;
}

/** How the app's engines start in this walk. */
export interface BootPlan {
  /** How long the next boots take. */
  bootMs: number;
  /** How many of the next boots fail. */
  failures: number;
}

/** The app in one tab: the real election, connection, uplink and journal, put together as the entry files do. */
export class SimApp {
  readonly tab: SimTab;
  readonly page: SimThread;
  readonly connection: EngineConnection;
  readonly presence: Presence;
  recording: SimRecording | null = null;
  recovering: SimCapture | null = null;
  /** Calls the page has made, and those that have settled. */
  made = 0;
  settled = 0;
  readonly log: string[] = [];
  readonly disk: SimDisk;
  readonly build: number;
  readonly #plan: BootPlan;
  #worker: SimEngineWorker;

  constructor(tab: SimTab, disk: SimDisk, plan: BootPlan, build = 1) {
    this.tab = tab;
    this.disk = disk;
    this.build = build;
    this.#plan = plan;
    this.page = tab.startThread('page');
    void holdLock(this.page.locks, LOCKS.tab(tab.id));
    const { page } = this;
    this.presence = new Presence({
      tab: tab.id,
      build,
      control: page.open(CHANNELS.control),
      locks: page.locks,
      clock: page,
    });
    this.#worker = this.#startWorker();
    this.connection = new EngineConnection({
      tab: tab.id,
      address: 'page',
      port: this.connectWorker(this.page, 'page'),
      open: this.page.open,
      events: { event: () => undefined, acknowledged: () => undefined },
      clock: this.page,
      onOwner: () => undefined,
      onPending: () => this.tell(),
    });
  }

  get world(): World {
    return this.tab.world;
  }

  get worker(): SimEngineWorker {
    return this.#worker;
  }

  #startWorker(): SimEngineWorker {
    return new SimEngineWorker(this, this.#plan);
  }

  /** A way from one of the tab's threads to its engine worker. */
  connectWorker(thread: SimThread, address: 'page' | `capture/${SessionId}`): Transport {
    const worker = this.#worker;
    const [here, there] = thread.connect(worker.thread);
    worker.thread.task(() => worker.ports.add(address, there));
    return new PortTransport(here);
  }

  /** The page tells its worker how it is. */
  tell(): void {
    const visible = this.tab.visible;
    const working = this.connection.pending > 0 || this.recording !== null || this.recovering !== null;
    const recording = this.recording !== null;
    const worker = this.#worker;
    worker.thread.task(() => worker.candidate.page({ visible, working, recording }));
    this.page.task(() =>
      this.presence.set({ visible, recording: this.recording ? [this.recording.said.session] : [] }),
    );
  }

  /** Asks the engine something, as a person who looks at the panel does. */
  ask(): void {
    this.made += 1;
    this.page.task(() => {
      this.connection.call('models', []).then(
        () => (this.settled += 1),
        () => (this.settled += 1),
      );
    });
  }

  record(session: SessionId): SimRecording {
    this.recording ??= new SimRecording(this, session);
    this.tell();
    return this.recording;
  }

  stop(): void {
    this.recording?.stop();
  }

  ended(capture: SimCapture): void {
    if (this.recording?.capture === capture) this.recording = null;
    if (this.recovering === capture) this.recovering = null;
    this.page.task(() => this.tell());
  }

  /** The engine worker alone ends, as when it runs out of memory; the page starts another. */
  terminateWorker(): void {
    if (!this.#worker.thread.alive) return;
    this.#worker.thread.die();
    this.page.task(() => {
      this.#worker = this.#startWorker();
      this.connection.usePort(this.connectWorker(this.page, 'page'));
      this.recording?.capture.useWorker();
      this.recovering?.useWorker();
      this.tell();
    });
  }
}

/** The walks put other recognizers in the place of those that would need them (instant-recognizer.ts). */
const NO_MODELS = {
  spawn: () => {
    throw new Error('A walk has no inference workers.');
  },
  memory: {
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
    forget: () => Promise.resolve(),
  },
  weights: () => null,
  installed: () => Promise.resolve(new Set<never>()),
  device: () => Promise.reject(new Error('A walk has no device.')),
  fingerprint: () => '',
};

/** workers/engine/engine.worker.ts with simulated effects. */
export class SimEngineWorker {
  readonly thread: SimThread;
  readonly candidate: Candidate;
  readonly ports = new LocalPorts();
  steals = 0;
  /** Engines that were created here and hold their memory. */
  running = 0;
  readonly #app: SimApp;
  readonly #plan: BootPlan;

  constructor(app: SimApp, plan: BootPlan) {
    const { tab, disk } = app;
    this.#app = app;
    this.#plan = plan;
    this.thread = tab.startThread(`engine-${app.world.tasksRun}`);
    const shield = new Shield(app.page.locks, tab.id);
    const { thread } = this;
    void holdLock(thread.locks, LOCKS.engineWorker(tab.id));
    const control = thread.open(CHANNELS.control);
    let epoch = 0;
    const announce = (body: ControlMessage): void => {
      if ('owner' in body) epoch = body.owner.epoch;
      const envelope: Envelope = { v: PROTOCOL, epoch, tab: tab.id, from: 'engine', to: '*', body };
      control.post(envelope);
      this.ports.post(envelope);
    };
    this.candidate = new Candidate({
      tab: tab.id,
      build: app.build,
      locks: thread.locks,
      clock: thread,
      open: thread.open,
      announce,
      nextEpoch: (above) => disk.takeEpoch(thread, above),
      boot: (ownership) => this.#boot(ownership, announce),
      log: (_level, code, message) => {
        app.log.push(`${code}: ${message}`);
        if (code === 'engine-steal') this.steals += 1;
      },
      onOwnership: (owns) => app.page.task(() => shield.set(owns)),
    });
  }

  async #boot(ownership: Ownership, announce: (message: ControlMessage) => void): Promise<RunningEngine> {
    const { thread } = this;
    const { owner } = ownership;
    await new Promise<void>((resolve) => thread.after(this.#plan.bootMs, resolve));
    if (this.#plan.failures > 0) {
      this.#plan.failures -= 1;
      throw new UnisonoError('model-failed', 'This boot was told to fail.');
    }
    const engine = createEngine({
      tab: owner.tab,
      build: owner.build,
      epoch: owner.epoch,
      store: this.#app.disk.storeOf(thread, owner.epoch),
      clock: thread,
      ...NO_MODELS,
      publish: (event) => clients.publish(event),
      onFenced: () => ownership.fenced(),
    });
    this.running += 1;
    const clients: Clients = new Clients({
      engine,
      owner: { ...owner, phase: 'ready' },
      ports: this.ports,
      open: thread.open,
      locks: thread.locks,
      announce,
      lines: () => [],
    });
    const running = runningEngine(engine, clients);
    const dispose = running.dispose.bind(running);
    return Object.assign(running, {
      dispose: async () => {
        await dispose();
        this.running -= 1;
      },
    });
  }
}

/** A capture worker's session: its thread, journal, connection and uplink, as workers/capture/recording.ts puts them together. */
class SimCapture {
  readonly thread: SimThread;
  readonly journal: Journal;
  readonly uplink: Uplink;
  readonly #connection: EngineConnection;
  readonly #app: SimApp;
  readonly #session: SessionId;

  constructor(
    app: SimApp,
    thread: SimThread,
    session: SessionId,
    source: SourceDescription,
    onAcknowledged: (upTo: number) => void,
  ) {
    this.#app = app;
    this.#session = session;
    const { tab, disk } = app;
    const address = `capture/${session}` as const;
    this.thread = thread;
    this.journal = new Journal({
      file: disk.journal(session, source.sourceId),
      now: () => thread.now(),
      onFull: () => undefined,
    });
    this.#connection = new EngineConnection({
      tab: tab.id,
      address,
      port: app.connectWorker(thread, address),
      open: thread.open,
      events: {
        event: () => undefined,
        acknowledged: (_session, message) => this.uplink.acknowledged(message),
      },
      clock: thread,
      onOwner: (owner) => this.uplink.ownerChanged(owner !== null),
    });
    this.uplink = new Uplink({
      sessionId: session,
      settings: SETTINGS,
      connection: this.#connection,
      clock: thread,
      read: (_source, start, end) => this.journal.read(start, end),
      acknowledged: (_source, upTo) => onAcknowledged(upTo),
      backlog: () => undefined,
      warn: (code, message) => app.log.push(`${code}: ${message}`),
    });
    this.uplink.addSource(source);
  }

  /** Nothing is left to do for it. */
  async finish(): Promise<void> {
    this.journal.flush();
    await this.uplink.finish();
    this.#connection.close();
    this.#app.disk.recordings.delete(this.#session);
    this.#app.ended(this);
    this.thread.die();
  }

  useWorker(): void {
    this.#connection.usePort(this.#app.connectWorker(this.thread, `capture/${this.#session}`));
  }
}

/** A recording, with a microphone that hears what the walk says. */
export class SimRecording {
  readonly said: Said;
  readonly capture: SimCapture;
  readonly #sender: SpeechSender;
  #toSay = 0;
  #stopped = false;

  constructor(app: SimApp, session: SessionId) {
    const { disk, tab } = app;
    const source = `mic-${session}` as SourceId;
    this.said = { session, source, file: disk.journal(session, source), blocks: [], crashed: false };
    const description: SourceDescription = { sourceId: source, kind: 'microphone', offsetMs: 0 };
    disk.recordings.set(session, {
      sessionId: session,
      tab: tab.id,
      settings: SETTINGS,
      sources: [description],
    });
    const thread = tab.startThread(`capture-${session}`);
    void holdLock(thread.locks, LOCKS.recording(session));
    this.capture = new SimCapture(app, thread, session, description, (upTo) => this.onAcknowledged(upTo));
    this.#sender = new SpeechSender(source, (message) => this.capture.uplink.push(message));
    this.#tick();
  }

  /** Hears of every acknowledgement. */
  onAcknowledged: (upTo: number) => void = () => undefined;

  say(blocks: number): void {
    if (!this.#stopped) this.#toSay += blocks;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.capture.thread.task(() => {
      this.#sender.end();
      void this.capture.finish();
    });
  }

  #tick(): void {
    if (this.#stopped) return;
    for (let block = 0; block < TICK_BLOCKS; block += 1) {
      if (this.#toSay > 0) {
        this.#toSay -= 1;
        const number = this.said.blocks.push(this.capture.journal.samples);
        this.#hear(spokenBlock(number), 1);
      } else {
        this.#hear(silentBlock, 0);
      }
    }
    this.capture.thread.after(TICK_BLOCKS * BLOCK_MS, () => this.#tick());
  }

  #hear(block: Float32Array, probability: number): void {
    this.capture.journal.append(block);
    this.#sender.push(BLOCK_SAMPLES, probability);
  }
}

/** workers/capture/recovery.ts: finishes a recording whose tab died. */
export async function recover(app: SimApp, { sessionId, sources }: StoredRecording): Promise<void> {
  const { disk, tab } = app;
  const [source] = sources;
  if (!source) return;
  const { sourceId } = source;
  const thread = tab.startThread(`capture-${sessionId}-${app.world.tasksRun}`);
  const held = await holdLock(thread.locks, LOCKS.recording(sessionId), { ifAvailable: true });
  if (!held || !disk.recordings.has(sessionId)) {
    thread.die();
    return;
  }
  const recoveredFrom = disk.progressOf(sessionId).get(sourceId)?.acknowledged ?? sampleIndex(0);
  const capture = new SimCapture(app, thread, sessionId, { ...source, recoveredFrom }, () => undefined);
  app.recovering = capture;
  const { journal, uplink } = capture;
  await uplink.opened;
  const origin = uplink.acknowledgedUpTo(sourceId);
  await thread.transact(() => disk.removeSegmentsFrom(sessionId, origin));
  const sender = new SpeechSender(sourceId, (message) => uplink.push(message), origin);
  for (let at = origin; at < journal.samples; at += BLOCK_SAMPLES) {
    const samples = journal.read(at, Math.min(at + BLOCK_SAMPLES, journal.samples));
    sender.push(samples.length, samples.some((sample) => sample !== 0) ? 1 : 0);
  }
  sender.end();
  await capture.finish();
}
