import type { SpeechMessage } from '@core/protocol/audio.ts';
import type { EngineApi, EngineEvent, EngineEvents, HealthEntry } from '@core/protocol/engine.ts';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { Epoch, SessionId, TabId } from '@core/protocol/ids.ts';
import { createRpc, endpointOn } from '@core/protocol/rpc.ts';
import { CHANNELS, PROTOCOL, type Address, type ControlMessage, type Owner } from '@core/protocol/tabs.ts';
import { EngineConnection, type ConnectionParts } from '@core/tabs/engine-connection.ts';
import type { Transport } from '@core/tabs/transport.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { MemoryBus } from './memory-transport.ts';
import { VirtualClock } from './virtual-clock.ts';

export const HERE = 'tab-here' as TabId;
export const THERE = 'tab-there' as TabId;
export const SESSION = 'session' as SessionId;
export const SPEECH = { type: 'speech-cancel', sourceId: 'mic', utterance: 0 } as unknown as SpeechMessage;

export const lag = (lagMs: number): EngineEvent => ({
  type: 'lag',
  sessionId: SESSION,
  lagMs,
  waitingUtterances: 0,
});
export const healthOf = (code: string): HealthEntry[] => [
  { atMs: 0, level: 'info', scope: 'engine', code, message: '' },
];

/** An engine as its clients see it: announces itself, answers `attach`, and answers `health` when told to. */
export class AnnouncedEngine {
  readonly owner: Owner;
  /** Unanswered `health` calls, oldest first. */
  readonly asked: Deferred<readonly HealthEntry[]>[] = [];
  readonly heard: string[] = [];
  readonly attaches: Address[] = [];
  listening = true;
  answering = true;
  /** Says `attached` to the last that asked. */
  answer: () => void = () => undefined;
  events: ReturnType<typeof createRpc<EngineEvents, EngineApi>> | null = null;
  readonly #control: Transport;
  readonly #port: Transport | null;
  readonly #open: (channel: string) => Transport;

  constructor(
    open: (channel: string) => Transport,
    epoch: number,
    tab: TabId,
    port: Transport | null = null,
  ) {
    this.owner = { epoch: epoch as Epoch, tab, build: 1, phase: 'ready' };
    this.#open = open;
    this.#control = open(CHANNELS.control);
    this.#port = port;
    this.#control.listen(({ body, tab: from }) => {
      this.#onMessage(body as ControlMessage, () => open(CHANNELS.tab(from)));
    });
    port?.listen(({ body }) => this.#onMessage(body as ControlMessage, () => port));
  }

  say(body: ControlMessage, epoch: number = this.owner.epoch): void {
    const envelope = { v: PROTOCOL, epoch, tab: this.owner.tab, from: 'engine', to: '*', body } as const;
    this.#control.post(envelope);
    this.#port?.post(envelope);
  }

  announce(phase: Owner['phase'] = 'ready'): void {
    this.say({ type: 'owner', owner: { ...this.owner, phase } });
  }

  /** Another owner's way to the same channels. */
  next(epoch: number, tab: TabId = THERE): AnnouncedEngine {
    return new AnnouncedEngine(this.#open, epoch, tab);
  }

  #onMessage(message: ControlMessage, way: () => Transport): void {
    if (!this.listening) return;
    if (message.type === 'who') this.announce();
    if (message.type !== 'attach' || message.epoch !== this.owner.epoch) return;
    this.attaches.push(message.address);
    const { tab, epoch } = this.owner;
    const transport = way();
    const line = { tab, epoch, from: 'engine', to: message.address } as const;
    const api: Partial<EngineApi> = {
      health: () => {
        this.heard.push('health');
        const answer = deferred<readonly HealthEntry[]>();
        this.asked.push(answer);
        return answer.promise;
      },
      models: async () => {
        this.heard.push('models');
        return [];
      },
      speech: () => void this.heard.push('speech'),
    };
    this.events = createRpc<EngineEvents, EngineApi>(endpointOn(transport, line), api as EngineApi);
    this.answer = () =>
      transport.post({ v: PROTOCOL, ...line, body: { type: 'attached', owner: this.owner } });
    if (this.answering) this.answer();
  }
}

/** A bus and a clock, with one thread of a tab that connects to the engines that `there` brings. */
export function world(parts: Partial<ConnectionParts> = {}) {
  const bus = new MemoryBus();
  const clock = new VirtualClock();
  const [port, workerPort] = bus.pair('page', 'worker');
  const seen = {
    owners: [] as (number | null)[],
    events: [] as number[],
    acknowledged: 0,
    foreign: [] as number[],
  };
  const connect = (): EngineConnection =>
    new EngineConnection({
      tab: HERE,
      address: 'page',
      port,
      open: bus.opener('page'),
      clock,
      events: {
        event: (event) => {
          if (event.type === 'lag') seen.events.push(event.lagMs);
        },
        acknowledged: () => void (seen.acknowledged += 1),
      },
      onOwner: (owner) => void seen.owners.push(owner?.epoch ?? null),
      onForeignProtocol: (v) => void seen.foreign.push(v),
      ...parts,
    });
  const there = (epoch: number, tab = THERE): AnnouncedEngine =>
    new AnnouncedEngine(bus.opener('there'), epoch, tab);
  return { bus, clock, workerPort, seen, connect, there };
}

/** How a call ended, without waiting for one that does not. */
export function outcome(call: Promise<readonly HealthEntry[]>) {
  const end = { code: 'waiting', settlements: 0 };
  const settle = (code: string): void => {
    end.code = code;
    end.settlements += 1;
  };
  call.then(
    ([entry]) => settle(entry!.code),
    (error: unknown) => settle(error instanceof UnisonoError ? error.code : String(error)),
  );
  return end;
}
