import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { chromiumPath } from '../../scripts/chromium.mjs';

type Result = Record<string, unknown>;

interface Answer {
  readonly id?: number;
  /** Of an event. */
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

/**
 * A Chromium driven by its own protocol and nothing else. Playwright keeps every page visible and focused, which
 * no frozen page is.
 */
export class RawBrowser {
  readonly #process: ChildProcess;
  readonly #in: Writable;
  readonly #calls = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  readonly #loading = new Map<string, () => void>();
  #calledSoFar = 0;

  private constructor(profile: string, args: readonly string[]) {
    this.#process = spawn(
      chromiumPath(),
      [
        '--headless=new',
        '--no-sandbox',
        '--no-first-run',
        '--remote-debugging-pipe',
        `--user-data-dir=${profile}`,
        ...args,
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    this.#in = this.#process.stdio[3] as Writable;
    let text = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#receive(JSON.parse(message) as Answer);
    });
  }

  static start(profile: string, args: readonly string[]): RawBrowser {
    return new RawBrowser(profile, args);
  }

  call(method: string, params: Result = {}, sessionId?: string): Promise<Result> {
    const id = (this.#calledSoFar += 1);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#in.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Opens a tab in front of the others. */
  async open(url: string): Promise<RawTab> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const attached = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = String(attached.sessionId);
    await this.call('Page.enable', {}, sessionId);
    // Until then there is nothing to evaluate in.
    const loaded = new Promise<void>((resolve) => this.#loading.set(sessionId, resolve));
    await this.call('Page.navigate', { url }, sessionId);
    await loaded;
    return new RawTab(this, String(targetId), sessionId);
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await exited;
  }

  #receive({ id, method, sessionId, result, error }: Answer): void {
    if (method === 'Page.loadEventFired') this.#loading.get(sessionId ?? '')?.();
    const call = this.#calls.get(id ?? -1);
    if (!call) return;
    this.#calls.delete(id ?? -1);
    if (error) call.reject(new Error(error.message));
    else call.resolve(result ?? {});
  }
}

export class RawTab {
  readonly #browser: RawBrowser;
  readonly #targetId: string;
  readonly #sessionId: string;

  constructor(browser: RawBrowser, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
  }

  /** The value of the expression, once it has settled. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#browser.call(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true },
      this.#sessionId,
    );
    return (answer.result as { value: T }).value;
  }

  async activate(): Promise<void> {
    await this.#browser.call('Target.activateTarget', { targetId: this.#targetId });
  }

  /** Stops the page and its workers, as the browser does with pages that have long been in the background. */
  async freeze(): Promise<void> {
    await this.#browser.call('Page.setWebLifecycleState', { state: 'frozen' }, this.#sessionId);
  }
}
