import { UnisonoError } from '@core/protocol/errors.ts';
import {
  NOTHING_DONE,
  type EngineReport,
  type RecognitionSettings,
  type SessionConfig,
  type SessionEvent,
  type SessionProgress,
  type SessionStatistics,
} from '@core/protocol/engine.ts';
import type { SessionId } from '@core/protocol/ids.ts';
import type { EngineClient } from './client.ts';
import type { Session, StoredSession } from './session.ts';

export interface OpenSessionsEffects {
  /** What earlier engines and senders stored of the session, once nothing more of it is being written. */
  stored(sessionId: SessionId): Promise<StoredSession>;
  begin(client: EngineClient, config: SessionConfig, stored: StoredSession): Session;
  changed(event: SessionEvent): void;
  /** What it was read with may be wanted no more. */
  over(sessionId: SessionId, settings: RecognitionSettings): void;
}

interface Entry {
  readonly client: EngineClient;
  readonly opening: Promise<Session>;
  /** Null until it has opened. */
  session: Session | null;
  closing: Promise<SessionStatistics> | null;
}

const takenOver = (): UnisonoError =>
  new UnisonoError('aborted', 'Another thread has taken the session over.');

/**
 * The sessions of all tabs. Each belongs to the client that opened it last; what another asks of it has no effect. Calls may come
 * twice, and for sessions that an earlier engine had: those change nothing.
 */
export class OpenSessions {
  readonly #effects: OpenSessionsEffects;
  readonly #entries = new Map<SessionId, Entry>();
  readonly #closed = new Map<SessionId, SessionStatistics>();

  constructor(effects: OpenSessionsEffects) {
    this.#effects = effects;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Those that have opened. */
  all(): readonly Session[] {
    return [...this.#entries.values()].flatMap(({ session }) => session ?? []);
  }

  list(): EngineReport['sessions'] {
    return [...this.#entries].flatMap(([sessionId, { client, session }]) =>
      session ? [{ sessionId, tab: client.tab, lagMs: session.lagMs }] : [],
    );
  }

  async open(client: EngineClient, config: SessionConfig): Promise<SessionProgress> {
    const { sessionId, settings, sources } = config;
    const known = this.#entries.get(sessionId);
    if (known?.client === client) {
      const session = await known.opening;
      for (const source of sources) session.addSource(source);
      session.update(settings);
      return session.progress;
    }
    known?.session?.halt(takenOver());
    const entry: Entry = {
      client,
      opening: this.#effects.stored(sessionId).then((stored) => {
        if (this.#entries.get(sessionId) !== entry) throw takenOver();
        entry.session = this.#effects.begin(client, config, stored);
        this.#effects.changed({ type: 'session', sessionId, tab: client.tab, state: 'open' });
        return entry.session;
      }),
      session: null,
      closing: null,
    };
    this.#entries.set(sessionId, entry);
    return (await entry.opening).progress;
  }

  /** The client's session; null when it has none of that name. */
  of(client: EngineClient, sessionId: SessionId): Session | null {
    const entry = this.#entries.get(sessionId);
    return entry?.client === client ? entry.session : null;
  }

  /** Resolves when every word of it is stored. */
  async close(client: EngineClient, sessionId: SessionId): Promise<SessionStatistics> {
    const entry = this.#entries.get(sessionId);
    if (!entry) return this.#closed.get(sessionId) ?? NOTHING_DONE;
    if (entry.client !== client) throw takenOver();
    return (entry.closing ??= this.#end(sessionId, entry, (session) => session.close()));
  }

  clientGone(client: EngineClient): void {
    for (const [sessionId, entry] of this.#entries) {
      if (entry.client !== client) continue;
      entry.closing ??= this.#end(sessionId, entry, (session) => session.abandon());
      entry.closing.catch(() => undefined);
    }
  }

  /** Takes no more and opens no more. Resolves when all that can be read is; never rejects. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.all().map((session) => session.drain()));
  }

  /** Nothing more comes of any of them. */
  halt(reason: UnisonoError): void {
    for (const session of this.all()) session.halt(reason);
    this.#entries.clear();
  }

  async #end(
    sessionId: SessionId,
    entry: Entry,
    end: (session: Session) => Promise<void>,
  ): Promise<SessionStatistics> {
    const session = await entry.opening;
    await end(session);
    if (this.#entries.get(sessionId) !== entry) throw takenOver();
    this.#entries.delete(sessionId);
    this.#closed.set(sessionId, session.statistics);
    this.#effects.over(sessionId, session.settings);
    this.#effects.changed({ type: 'session', sessionId, tab: entry.client.tab, state: 'closed' });
    return session.statistics;
  }
}
