import { UnisonoError } from '@core/protocol/errors.ts';
import type {
  EngineApi,
  EngineEvent,
  EngineEvents,
  HealthEntry,
  ModelStatus,
  RecognitionSettings,
  RecognizerId,
  SessionConfig,
  SessionStatistics,
  SourceDescription,
} from '@core/protocol/engine.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import { createRpc } from '@core/protocol/rpc.ts';

/**
 * The page's one way to the engine. Owns the engine worker; lives on the main thread, does no work
 * there and sees no audio. Every call rejects with `engine-lost` when the worker dies or is disposed of.
 */
export class EngineClient {
  readonly #worker: Worker;
  readonly #rpc: ReturnType<typeof createRpc<EngineApi, EngineEvents>>;
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  /** Starts the worker. No model is loaded before it is asked for. */
  constructor() {
    this.#worker = new Worker(new URL('../../workers/engine/engine.worker.ts', import.meta.url), {
      type: 'module',
      name: 'engine',
    });
    this.#rpc = createRpc<EngineApi, EngineEvents>(this.#worker, { event: (event) => this.#publish(event) });
    this.#worker.addEventListener('error', ({ message }) => this.#lost(message));
  }

  /** Loads the model if need be. Resolves with `ready` or `failed`, never rejects because of the model. */
  prepare(model: RecognizerId): Promise<ModelStatus> {
    return this.#rpc.prepare(model);
  }

  /** Opens a session and begins to load its model. @returns the end for the capture worker's speech */
  async openSession(config: SessionConfig): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    await this.#rpc.openSession(config, port1);
    return port2;
  }

  /** Call before the source's first speech is sent. */
  addSource(sessionId: SessionId, source: SourceDescription): Promise<void> {
    return this.#rpc.addSource(sessionId, source);
  }

  /** Holds for the utterances that follow. */
  updateSession(sessionId: SessionId, settings: RecognitionSettings): Promise<void> {
    return this.#rpc.updateSession(sessionId, settings);
  }

  /** Resolves when every utterance received is final. */
  closeSession(sessionId: SessionId): Promise<SessionStatistics> {
    return this.#rpc.closeSession(sessionId);
  }

  /** All models the app knows, loaded or not. */
  models(): Promise<readonly ModelStatus[]> {
    return this.#rpc.models();
  }

  /** The engine's health lines, oldest first. */
  health(): Promise<readonly HealthEntry[]> {
    return this.#rpc.health();
  }

  /** Runs the model's self-test again, as after a driver update. */
  retest(model: RecognizerId): Promise<ModelStatus> {
    return this.#rpc.retest(model);
  }

  /** @returns ends the subscription */
  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the worker and with it every model. */
  dispose(): void {
    this.#listeners.clear();
    this.#end('The engine was disposed of.');
  }

  #lost(reason: string): void {
    const message = `The engine worker failed: ${reason}`;
    this.#end(message);
    this.#publish({
      type: 'health',
      entry: { atMs: Date.now(), level: 'error', scope: 'engine', code: 'engine-lost', message },
    });
  }

  #end(message: string): void {
    this.#rpc.$close(new UnisonoError('engine-lost', message));
    this.#worker.terminate();
  }

  #publish(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
