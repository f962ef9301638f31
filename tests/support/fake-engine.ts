import type { EngineApi, EngineEvents, SessionConfig } from '@core/protocol/engine.ts';
import type { SpeechAcknowledged, SpeechMessage } from '@core/protocol/audio.ts';
import type { Epoch, SampleIndex, SessionId, SourceId, TabId } from '@core/protocol/ids.ts';
import { createRpc, endpointOn } from '@core/protocol/rpc.ts';
import {
  PROTOCOL,
  type Address,
  type Attached,
  type ControlMessage,
  type Owner,
} from '@core/protocol/tabs.ts';
import { PortTransport } from '@core/tabs/port-transport.ts';
import { SpeechInbox } from './inbox.ts';

type Line = ReturnType<typeof createRpc<EngineEvents, EngineApi>>;

/** What engines have stored of a session: outlives them, as a disk does. */
export class FakeProgress {
  readonly acknowledged = new Map<SourceId, SampleIndex>();
}

/**
 * The engine of this tab at the other end of a capture worker's port: reads nothing, keeps what it is sent. Stores, and
 * acknowledges, what it is told to; at `closeSession` all that came.
 */
export class FakeEngine {
  /** Everything sent, to whichever of its epochs. */
  readonly speech = new SpeechInbox();
  readonly configs: SessionConfig[] = [];
  readonly progress: FakeProgress;
  /** Acknowledges every utterance as soon as it is over. */
  keepsUp = false;
  readonly #tab: TabId;
  readonly #sessionId: SessionId;
  readonly #address: Address;
  readonly #transport: PortTransport;
  #owner: Owner | null = null;
  #epoch = 0;
  #line: Line | null = null;

  constructor(port: MessagePort, tab: TabId, sessionId: SessionId, progress = new FakeProgress()) {
    this.progress = progress;
    this.#tab = tab;
    this.#sessionId = sessionId;
    this.#address = `capture/${sessionId}`;
    this.#transport = new PortTransport(port);
    this.#transport.listen(
      ({ body }) => {
        const message = body as ControlMessage;
        if (message.type === 'who' && this.#owner) this.#say({ type: 'owner', owner: this.#owner });
        if (message.type === 'attach' && message.epoch === this.#owner?.epoch) this.#attach(this.#owner);
      },
      () => undefined,
    );
  }

  /** Another engine takes over, with nothing but what is stored. */
  begin(): void {
    this.#line?.$close();
    this.#epoch++;
    this.#owner = { epoch: this.#epoch as Epoch, tab: this.#tab, build: 1, phase: 'ready' };
    this.#say({ type: 'owner', owner: this.#owner });
  }

  /** There is no engine. */
  leave(): void {
    if (this.#owner) this.#say({ type: 'leaving', owner: this.#owner });
    this.#line?.$close();
    this.#owner = null;
  }

  acknowledge(message: Omit<SpeechAcknowledged, 'type'>): void {
    this.progress.acknowledged.set(message.sourceId, message.upTo);
    void this.#line?.acknowledged.asEvent(this.#sessionId, { type: 'acknowledged', ...message });
  }

  #say(body: ControlMessage | Attached): void {
    const to = body.type === 'attached' ? this.#address : '*';
    this.#transport.post({ v: PROTOCOL, epoch: this.#epoch, tab: this.#tab, from: 'engine', to, body });
  }

  #attach(owner: Owner): void {
    const line = { tab: this.#tab, from: 'engine', to: this.#address, epoch: owner.epoch } as const;
    this.#line = createRpc<EngineEvents, EngineApi>(endpointOn(this.#transport, line), this.#api());
    this.#say({ type: 'attached', owner });
  }

  #api(): EngineApi {
    const api: Partial<EngineApi> = {
      openSession: (config) => {
        this.configs.push(config);
        const acknowledged = [...this.progress.acknowledged].map(([sourceId, upTo]) => ({ sourceId, upTo }));
        return Promise.resolve({ acknowledged });
      },
      addSource: () => Promise.resolve(),
      updateSession: (_, settings) => {
        const last = this.configs.at(-1);
        if (last) this.configs.push({ ...last, settings });
        return Promise.resolve();
      },
      speech: (_, message) => this.#receive(message),
      closeSession: () => {
        for (const { sourceId, captured, ended } of this.speech.of('source-clock'))
          if (ended) this.acknowledge({ sourceId, upTo: captured });
        const utterances = this.speech.of('speech-end').length;
        return Promise.resolve({ partialCalls: 0, finalCalls: 0, decodedAudioS: 0, utterances, dropped: 0 });
      },
    };
    return api as EngineApi;
  }

  #receive(message: SpeechMessage): void {
    this.speech.add(message);
    if (this.keepsUp && message.type === 'speech-end')
      this.acknowledge({ sourceId: message.sourceId, upTo: message.end });
  }
}
