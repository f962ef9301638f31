import type { HealthEntry } from '../protocol/engine.ts';
import { pause, type Clock } from '../util/clock.ts';
import { deferred, type Deferred } from '../util/deferred.ts';
import type { OwnerWatch } from './owner-watch.ts';

export interface StealingEffects {
  readonly clock: Clock;
  readonly watch: OwnerWatch;
  /** This tab would take the owner's place: it is not the owner, a person sees it, and its work waits. */
  willing(): boolean;
  /** How many tabs that a person sees come before this one. */
  before(): number;
  /** Asks every tab, this one included, who owns the engine. What this tab hears of it itself goes to {@link Stealing.echoed}. */
  ask(): void;
  /** Takes the lock from who holds it. */
  steal(): void;
  log(level: HealthEntry['level'], code: string, message: string): void;
}

const CHECK_EVERY_MS = 2_000;
/** A message to oneself by BroadcastChannel takes about a millisecond; after this the channel does not work. */
const ECHO_LIMIT_MS = 2_000;
/** Enough for one tab to take the lock and say so before the next one tries. */
const STAGGER_MS = 4_000;
const LONGEST_QUEUE = 3;
/** An owner that lives answers within milliseconds. */
const ANSWER_LIMIT_MS = 1_000;

/** Looks after an owner that holds its lock and may have stalled all the same, and takes its place when it has. */
export class Stealing {
  readonly #effects: StealingEffects;
  #echo: Deferred<boolean> | null = null;
  #stopChecking: (() => void) | null = null;
  #judging = false;
  #toldLost = false;

  constructor(effects: StealingEffects) {
    this.#effects = effects;
  }

  /** Looks after the owner from now on, for as long as this tab would take its place. */
  check(): void {
    this.stop();
    if (!this.#effects.willing()) return;
    this.#stopChecking = this.#effects.clock.after(CHECK_EVERY_MS, () => {
      void this.#consider().then(() => this.check());
    });
  }

  stop(): void {
    this.#stopChecking?.();
    this.#stopChecking = null;
  }

  /** This tab has heard its own question. */
  echoed(): void {
    this.#echo?.resolve(true);
  }

  /** Whether this tab's messages reach the channel, and everything sent before has been heard. */
  async hearEcho(): Promise<boolean> {
    const echo = (this.#echo ??= deferred<boolean>());
    this.#effects.ask();
    const cancel = this.#effects.clock.after(ECHO_LIMIT_MS, () => echo.resolve(false));
    const heard = await echo.promise;
    cancel();
    if (this.#echo === echo) this.#echo = null;
    return heard;
  }

  async #consider(): Promise<void> {
    const effects = this.#effects;
    if (this.#judging || !this.#must()) return;
    this.#judging = true;
    try {
      // The question goes to the owner, too: one that lives answers, and is stale no more.
      if (!(await this.hearEcho())) return;
      await pause(effects.clock, ANSWER_LIMIT_MS);
      if (!this.#must()) return;
    } finally {
      this.#judging = false;
    }
    effects.watch.stole(effects.clock.now());
    effects.log(
      'warning',
      'engine-steal',
      'The tab with the shared engine does not answer: taking its place.',
    );
    effects.steal();
  }

  #must(): boolean {
    const effects = this.#effects;
    const { clock, watch } = effects;
    const nowMs = clock.now();
    const patienceMs = STAGGER_MS * Math.min(effects.before(), LONGEST_QUEUE);
    if (!effects.willing() || !watch.stale(nowMs - patienceMs)) return false;
    const may = watch.maySteal(nowMs);
    if (may === 'never' && !this.#toldLost) {
      this.#toldLost = true;
      effects.log(
        'error',
        'engine-lost',
        'No tab can keep the shared engine running. Close the other tabs of this app and reload this one; nothing recorded is lost.',
      );
    }
    return may === 'yes';
  }
}
