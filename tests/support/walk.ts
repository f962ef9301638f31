import fc from 'fast-check';
import { BLOCK_SAMPLES } from '@core/protocol/audio.ts';
import type { SessionId, TabId } from '@core/protocol/ids.ts';
import { CHANNELS, LOCKS, type ControlMessage } from '@core/protocol/tabs.ts';
import { textOf } from '@core/transcript/types.ts';
import { recover, SimApp, type BootPlan, type Said, type SimRecording } from './sim-app.ts';
import { SimDisk } from './sim-disk.ts';
import { samplesIn } from './spoken.ts';
import { World } from './world.ts';

/** What may happen next. `tab` counts among the tabs that are open. */
export type Step =
  | { readonly type: 'open'; readonly build: number }
  | {
      readonly type:
        | 'close'
        | 'crash'
        | 'freeze'
        | 'stall'
        | 'thaw'
        | 'hide'
        | 'show'
        | 'ask'
        | 'record'
        | 'stop'
        | 'terminate'
        | 'recover';
      readonly tab: number;
    }
  | { readonly type: 'speak'; readonly tab: number; readonly blocks: number }
  | { readonly type: 'boots'; readonly bootMs: number; readonly failures: number }
  | { readonly type: 'latency'; readonly ms: number }
  | { readonly type: 'pass'; readonly ms: number };

export interface Walk {
  readonly seed: number;
  readonly steps: readonly Step[];
}

const MOST_TABS = 4;
const MOST_STEALS = 3;
const SHORTEST_WALK = 10;
const LONGEST_WALK = 30;

const tab = fc.nat(MOST_TABS - 1);
const one = (type: Extract<Step, { tab: number }>['type']): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant(type), tab }) as fc.Arbitrary<Step>;

const often = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });

const step: fc.Arbitrary<Step> = fc.oneof(
  often(8, fc.record({ type: fc.constant('pass'), ms: fc.integer({ min: 1, max: 2_000 }) })),
  often(3, fc.record({ type: fc.constant('pass'), ms: fc.integer({ min: 2_000, max: 20_000 }) })),
  often(1, fc.record({ type: fc.constant('pass'), ms: fc.integer({ min: 20_000, max: 60_000 }) })),
  often(3, fc.record({ type: fc.constant('open'), build: fc.integer({ min: 1, max: 2 }) })),
  often(8, fc.record({ type: fc.constant('speak'), tab, blocks: fc.integer({ min: 8, max: 60 }) })),
  often(4, one('record')),
  often(1, one('stop')),
  often(1, one('close')),
  often(1, one('crash')),
  often(2, one('terminate')),
  often(1, one('recover')),
  often(3, one('stall')),
  often(1, one('freeze')),
  often(2, one('thaw')),
  often(1, one('hide')),
  often(1, one('show')),
  often(3, one('ask')),
  often(
    1,
    fc.record({
      type: fc.constant('boots'),
      bootMs: fc.constantFrom(0, 500, 8_000, 20_000),
      failures: fc.nat(2),
    }),
  ),
  often(1, fc.record({ type: fc.constant('latency'), ms: fc.constantFrom(0, 2, 50, 800) })),
);

export const walks: fc.Arbitrary<Walk> = fc.record({
  seed: fc.integer(),
  steps: fc.array(step, { minLength: SHORTEST_WALK, maxLength: LONGEST_WALK, size: 'max' }),
});

/** Speech that a crash cut off so short that the gate takes it for a click. */
const LOST_SAMPLES = 8 * BLOCK_SAMPLES;

/** The longest that the world may need to come to rest: three steals, a boot that backs off, a backlog. */
const REST_MS = 240_000;

/**
 * Takes one walk through a world of its own.
 * @param trace hears each step and what is said on the control channel
 * @throws as soon as a rule is broken
 */
export async function take({ seed, steps }: Walk, trace: Trace = () => undefined): Promise<void> {
  const walk = new Walker(seed, trace);
  for (const build of [1, 1]) await walk.step({ type: 'open', build });
  for (const next of steps) {
    await walk.step(next);
    walk.check();
  }
  await walk.rest();
}

type Trace = (line: string) => void;

class Walker {
  readonly #world: World;
  readonly #trace: Trace;
  readonly #disk = new SimDisk();
  readonly #plan: BootPlan = { bootMs: 500, failures: 0 };
  #apps: SimApp[] = [];
  readonly #all: SimApp[] = [];
  readonly #said: Said[] = [];
  readonly #owners = new Map<number, TabId>();
  readonly #broken: string[] = [];
  #opened = 0;
  #sessions = 0;

  constructor(seed: number, trace: Trace) {
    this.#world = new World(seed);
    this.#trace = (line) => trace(`${this.#world.elapsedMs.toFixed(1)} ${line}`);
    const observer = this.#world.openTab('observer' as TabId).startThread('observer');
    observer.open(CHANNELS.control).listen(({ body, tab, from, epoch }) => {
      this.#trace(`${tab} ${from} ${epoch} ${JSON.stringify(body)}`);
      this.#hear(body as ControlMessage);
    });
  }

  #hear(message: ControlMessage): void {
    if (message.type !== 'owner') return;
    const { epoch, tab: owner } = message.owner;
    const known = this.#owners.get(epoch);
    if (known !== undefined && known !== owner) this.#broken.push(`two owners of epoch ${epoch}`);
    this.#owners.set(epoch, owner);
  }

  async step(next: Step): Promise<void> {
    this.#trace(`- ${JSON.stringify(next)}`);
    if (next.type === 'open') this.#open(next.build);
    else if (next.type === 'pass') await this.#world.pass(next.ms);
    else if (next.type === 'latency') this.#world.latencyMs = next.ms;
    else if (next.type === 'boots')
      Object.assign(this.#plan, { bootMs: next.bootMs, failures: next.failures });
    else {
      const app = this.#apps[next.tab % Math.max(1, this.#apps.length)];
      if (app) this.#act(app, next);
    }
    await this.#world.settle();
  }

  #open(build: number): void {
    if (this.#apps.length >= MOST_TABS) return;
    const app = new SimApp(
      this.#world.openTab(`tab-${(this.#opened += 1)}` as TabId),
      this.#disk,
      this.#plan,
      build,
    );
    app.tell();
    this.#apps.push(app);
    this.#all.push(app);
  }

  #act(app: SimApp, next: Extract<Step, { tab: number }>): void {
    switch (next.type) {
      case 'close':
      case 'crash':
        this.#die(app);
        break;
      case 'terminate':
        if (!app.tab.frozen) app.terminateWorker();
        break;
      case 'freeze':
        if (!app.tab.shielded) app.tab.freeze();
        break;
      case 'stall':
        app.tab.freeze();
        break;
      case 'thaw':
        app.tab.thaw();
        break;
      case 'hide':
      case 'show':
        app.tab.visible = next.type === 'show';
        app.tell();
        break;
      case 'ask':
        if (!app.tab.frozen) app.ask();
        break;
      case 'record':
        if (!app.tab.frozen && !app.recording) this.#record(app);
        break;
      case 'recover':
        if (!app.tab.frozen) this.#recover(app);
        break;
      case 'speak':
        app.recording?.say(next.blocks);
        break;
      case 'stop':
        if (!app.tab.frozen) app.stop();
    }
  }

  #record(app: SimApp): SimRecording {
    const recording = app.record(`session-${(this.#sessions += 1)}` as SessionId);
    this.#said.push(recording.said);
    recording.onAcknowledged = (upTo) => this.#checkAcknowledged(recording.said, upTo);
    return recording;
  }

  /** As a tab does when it opens. */
  #recover(app: SimApp): void {
    const left = [...this.#disk.recordings.values()].find(
      ({ sessionId }) => this.#world.locks.holder(LOCKS.recording(sessionId)) === null,
    );
    if (left && !app.recovering) app.page.task(() => void recover(app, left));
  }

  #die(app: SimApp): void {
    app.tab.die();
    const said = app.recording?.said;
    if (said) {
      said.crashed = true;
      said.file.crash();
    }
    app.recovering = null;
    this.#apps = this.#apps.filter((other) => other !== app);
  }

  #stored({ session }: Said): Map<number, number> {
    return samplesIn([...this.#disk.segmentsOf(session).values()].map(({ committed }) => textOf(committed)));
  }

  #checkAcknowledged(said: Said, upTo: number): void {
    const stored = this.#stored(said);
    said.blocks.forEach((start, index) => {
      const due = Math.min(BLOCK_SAMPLES, upTo - start);
      if (due > 0 && (stored.get(index + 1) ?? 0) < due)
        this.#broken.push(
          `${said.session}: acknowledged up to ${upTo}, but block ${index + 1} is not stored`,
        );
    });
  }

  check(): void {
    for (const { tab, worker } of this.#apps)
      if (worker.steals > MOST_STEALS) throw new Error(`${tab.id} stole ${worker.steals} times`);
    const [broken] = this.#broken;
    if (broken) throw new Error(broken);
    const [thrown] = this.#world.thrown;
    if (thrown) throw new Error('A task threw.', { cause: thrown });
  }

  /** Everything goes well from now on: then nothing may be missing or be there twice. */
  async rest(): Promise<void> {
    this.#world.latencyMs = 2;
    Object.assign(this.#plan, { bootMs: 500, failures: 0 });
    for (const app of this.#apps) app.tab.thaw();
    if (this.#apps.length === 0) this.#open(1);
    for (const app of this.#apps) {
      app.tab.visible = true;
      app.tell();
      app.ask();
    }
    await this.#world.pass(5_000);
    for (const app of this.#apps) app.stop();
    const endMs = this.#world.nowMs + REST_MS;
    while (!this.#quiet() && this.#world.nowMs < endMs) {
      for (const app of this.#apps) this.#recover(app);
      await this.#world.pass(1_000);
    }
    this.check();
    for (const app of this.#apps) {
      if (app.recording) throw new Error(`${app.recording.said.session} does not finish`);
      if (app.made !== app.settled)
        throw new Error(`${app.made - app.settled} calls of ${app.tab.id} never settled`);
      if (!app.connection.owner) throw new Error(`${app.tab.id} has no engine`);
    }
    if (this.#engines !== 1) throw new Error(`${this.#engines} engines are in memory`);
    for (const session of this.#disk.recordings.keys()) throw new Error(`${session} is not recovered`);
    for (const said of this.#said) this.#checkStored(said);
  }

  get #engines(): number {
    return this.#apps.reduce((sum, { worker }) => sum + worker.running, 0);
  }

  #quiet(): boolean {
    return (
      this.#engines === 1 &&
      this.#disk.recordings.size === 0 &&
      this.#apps.every((app) => !app.recording && app.made === app.settled && app.connection.owner !== null)
    );
  }

  #checkStored(said: Said): void {
    const stored = this.#stored(said);
    said.blocks.forEach((start, index) => {
      const samples = stored.get(index + 1) ?? 0;
      const certain = !said.crashed || start + LOST_SAMPLES < said.file.recorded;
      if (certain ? samples !== BLOCK_SAMPLES : samples > BLOCK_SAMPLES)
        throw new Error(
          `${said.session}: ${samples} of ${BLOCK_SAMPLES} samples of block ${index + 1} are stored`,
        );
    });
  }
}
