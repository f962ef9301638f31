import type { SpeechMessage } from '@core/protocol/audio.ts';
import type { CaptureEvents } from '@core/protocol/capture.ts';
import {
  NOTHING_DONE,
  type RecognitionSettings,
  type SessionConfig,
  type SessionStatistics,
} from '@core/protocol/engine.ts';
import { sampleIndex, type Epoch, type SessionId, type SourceId, type TabId } from '@core/protocol/ids.ts';
import type { Owner } from '@core/protocol/tabs.ts';
import { SpeechSender, type SpeechDescriptor } from '@workers/capture/speech-sender.ts';
import { Uplink, type UplinkParts } from '@workers/capture/uplink.ts';
import { settled } from './virtual-clock.ts';

export const SESSION = 'session' as SessionId;
export const SOURCES = ['microphone', 'tab'] as unknown as readonly [SourceId, SourceId];
export const SETTINGS: RecognitionSettings = {
  recognizer: 'auto',
  languages: ['en'],
  chineseScript: 'simplified',
};

/** Each sample says which it is, exactly. */
const samplesOf = (start: number, end: number) =>
  Float32Array.from({ length: end - start }, (_, i) => start + i);

interface Heard {
  received: number;
  end: number | null;
}

/** What engines have stored: outlives them. */
class Store {
  readonly utterances = new Map<string, { start: number; end: number; times: number }>();
  readonly acknowledged = new Map<SourceId, number>();
}

/** An engine as the contract has it: final in any order, acknowledged only when all before is stored. */
class FakeEngine {
  readonly sources = new Map<SourceId, { open: Map<number, Heard>; captured: number; ended: boolean }>();
  readonly #store: Store;
  settings: RecognitionSettings | null = null;
  closing: ((statistics: SessionStatistics) => void) | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  open(config: SessionConfig): void {
    this.settings = config.settings;
    for (const { sourceId } of config.sources) this.addSource(sourceId);
  }

  addSource(sourceId: SourceId): void {
    if (!this.sources.has(sourceId))
      this.sources.set(sourceId, { open: new Map(), captured: 0, ended: false });
  }

  receive(message: SpeechMessage): void {
    const source = this.sources.get(message.sourceId);
    if (!source) throw new Error(`speech of ${message.sourceId} came before the source`);
    if (message.type === 'source-clock') {
      source.captured = message.captured;
      source.ended = message.ended;
      return;
    }
    const { utterance } = message;
    const stored = utterance < (this.#store.acknowledged.get(message.sourceId) ?? 0);
    if (message.type === 'speech-start' && !source.open.has(utterance) && !stored)
      source.open.set(utterance, { received: utterance, end: null });
    const heard = source.open.get(utterance);
    if (!heard) return;
    if (message.type === 'speech-audio') {
      if (message.start > heard.received) throw new Error('a part of the utterance is missing');
      if (message.samples.some((sample, i) => sample !== message.start + i))
        throw new Error('these are other samples');
      heard.received = Math.max(heard.received, message.start + message.samples.length);
    }
    if (message.type === 'speech-end') {
      if (heard.received < message.end) throw new Error('the end came before the speech');
      heard.end = message.end;
    }
    if (message.type === 'speech-cancel') source.open.delete(utterance);
  }

  /** Makes one complete utterance final and stores it. */
  finalise(choice: number): void {
    const complete = [...this.sources].flatMap(([sourceId, { open }]) =>
      [...open].filter(([, { end }]) => end !== null).map(([start, { end }]) => ({ sourceId, start, end })),
    );
    const chosen = complete[choice % complete.length];
    if (!chosen) return;
    const id = `${chosen.sourceId}-${chosen.start}`;
    const times = (this.#store.utterances.get(id)?.times ?? 0) + 1;
    this.#store.utterances.set(id, { start: chosen.start, end: chosen.end ?? NaN, times });
    this.sources.get(chosen.sourceId)?.open.delete(chosen.start);
  }

  *acknowledge(): Generator<{ sourceId: SourceId; upTo: number }> {
    for (const [sourceId, { open, captured, ended }] of this.sources) {
      const upTo = open.size > 0 ? Math.min(...open.keys()) : ended ? captured : captured - 32_000;
      if (upTo <= (this.#store.acknowledged.get(sourceId) ?? 0)) continue;
      this.#store.acknowledged.set(sourceId, upTo);
      yield { sourceId, upTo };
    }
  }

  /** The largest amount of a source's speech that is here and not final, but for its oldest utterance. */
  get inFlight(): number {
    return Math.max(
      0,
      ...[...this.sources.values()].map(({ open }) =>
        [...open]
          .slice(1)
          .reduce((sum, [start, { received, end }]) => sum + Math.min(received, end ?? received) - start, 0),
      ),
    );
  }

  get done(): boolean {
    return [...this.sources.values()].every(({ open, ended }) => ended && open.size === 0);
  }
}

/** A connection whose messages arrive when the test says so, and are lost with their engine. */
export class UplinkWorld {
  readonly store = new Store();
  readonly uplink: Uplink;
  readonly said: SpeechDescriptor[] = [];
  readonly backlogs: Parameters<CaptureEvents['backlog']>[0][] = [];
  readonly senders: readonly SpeechSender[];
  readonly warnings: string[] = [];
  engine: FakeEngine | null = null;
  refuses = false;
  largestFlight = 0;
  nowMs = 0;
  #epoch = 0;
  #wire: (() => void)[] = [];
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(sources: readonly SourceId[] = SOURCES) {
    this.uplink = new Uplink({
      sessionId: SESSION,
      settings: SETTINGS,
      connection: this.#connection(),
      clock: {
        now: () => this.nowMs,
        after: (delayMs, run) => {
          const timer = { atMs: this.nowMs + delayMs, run };
          this.#timers.push(timer);
          return () => (this.#timers = this.#timers.filter((other) => other !== timer));
        },
      },
      read: (_, start, end) => samplesOf(start, end),
      acknowledged: () => undefined,
      backlog: (backlog) => this.backlogs.push(backlog),
      warn: (code) => this.warnings.push(code),
    });
    this.senders = sources.map((sourceId) => {
      this.uplink.addSource({ sourceId, kind: 'microphone', offsetMs: 0 });
      return new SpeechSender(sourceId, (message) => {
        this.said.push(message);
        this.uplink.push(message);
      });
    });
  }

  #connection(): UplinkParts['connection'] {
    const owner = (): Owner | null =>
      this.engine && { epoch: this.#epoch as Epoch, tab: 'tab' as TabId, build: 1, phase: 'ready' };
    return {
      get owner() {
        return owner();
      },
      speech: (_, message) => {
        const engine = this.engine;
        if (!engine) return false;
        this.#wire.push(() => {
          engine.receive(message);
          this.largestFlight = Math.max(this.largestFlight, engine.inFlight);
        });
        return true;
      },
      call: ((method: string, args: readonly never[], { signal }: { signal: AbortSignal }) =>
        new Promise<unknown>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          const engine = this.engine;
          if (engine) this.#wire.push(() => this.#answer(engine, method, args, resolve, reject));
        })) as unknown as UplinkParts['connection']['call'],
    };
  }

  #answer(
    engine: FakeEngine,
    method: string,
    args: readonly unknown[],
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ): void {
    const config = args[0] as SessionConfig;
    const second = args[1] as { sourceId: SourceId } & RecognitionSettings;
    if (this.refuses) reject(new Error('not now'));
    else if (method === 'openSession') {
      engine.open(config);
      const acknowledged = [...this.store.acknowledged].map(([sourceId, upTo]) => ({ sourceId, upTo }));
      resolve({ acknowledged });
    } else if (method === 'addSource') {
      engine.addSource(second.sourceId);
      resolve(undefined);
    } else if (method === 'updateSession') resolve((engine.settings = second));
    else engine.closing = resolve;
  }

  /** The engine is gone with all that is on its way, and there is another, or none. */
  async change(successor: boolean): Promise<void> {
    this.#wire = [];
    if (this.engine) {
      this.engine = null;
      this.uplink.ownerChanged(false);
    }
    if (successor) {
      this.#epoch++;
      this.engine = new FakeEngine(this.store);
      this.uplink.ownerChanged(true);
    }
    await settled();
  }

  async deliver(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#wire.shift()?.();
      if (this.#wire.length === 0) await settled();
    }
    await settled();
  }

  async finalise(choice: number, acknowledge: boolean): Promise<void> {
    const { engine } = this;
    if (!engine) return;
    engine.finalise(choice);
    if (acknowledge)
      for (const { sourceId, upTo } of engine.acknowledge())
        this.uplink.acknowledged({ sourceId, upTo: sampleIndex(upTo) });
    if (engine.done && engine.closing && acknowledge) engine.closing({ ...NOTHING_DONE, finalCalls: 7 });
    await settled();
  }

  async wait(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { run } of this.#timers.filter(({ atMs }) => atMs <= this.nowMs)) run();
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    await settled();
  }

  speak(source: number, seconds: number): void {
    this.#feed(source, seconds, 0.9);
  }

  pause(source: number, seconds: number): void {
    this.#feed(source, seconds, 0);
  }

  #feed(source: number, seconds: number, probability: number): void {
    for (let i = 0; i < seconds * 31.25; i++) this.senders[source]?.push(512, probability);
  }

  end(): void {
    for (const sender of this.senders) sender.end();
  }

  /** With an engine that works, until the session is over. */
  async finish(): Promise<SessionStatistics> {
    const results: SessionStatistics[] = [];
    void this.uplink.finish().then((result) => results.push(result));
    for (let round = 0; round < 2000 && results.length === 0; round++) {
      await this.deliver(50);
      await this.finalise(0, true);
      await this.wait(500);
    }
    const [statistics] = results;
    if (!statistics) throw new Error('the session did not end');
    return statistics;
  }

  /** Every utterance that was said, by its id. */
  get expected(): Map<string, { start: number; end: number }> {
    return new Map(
      this.said.flatMap((message) =>
        message.type === 'speech-end'
          ? [[`${message.sourceId}-${message.utterance}`, { start: message.utterance, end: message.end }]]
          : [],
      ),
    );
  }

  get stored(): Map<string, { start: number; end: number }> {
    return new Map([...this.store.utterances].map(([id, { start, end }]) => [id, { start, end }]));
  }
}
