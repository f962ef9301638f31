import { expect, type Locator, type Page } from '@playwright/test';

/** One utterance as the page shows it (docs/automation.md). */
export interface ShownSegment {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly language: string;
  readonly state: string;
  readonly text: string;
}

export interface RecordLink {
  readonly source?: string;
  readonly language?: string;
  readonly asr?: string;
  readonly target?: string;
}

/**
 * How far the recording's clock may be behind the fake microphone's: the device plays from the moment
 * it is opened, the recording counts from its first block.
 */
const CLOCK_TOLERANCE_MS = 2000;

/** The app's page, driven by its documented surface: the link, the keys, the transcript's DOM. */
export class MeetingPage {
  readonly page: Page;
  readonly origin: string;
  readonly log: Locator;
  readonly segments: Locator;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.origin = origin;
    this.log = page.locator('ol[role=log]');
    this.segments = this.log.locator('> li[data-segment-id]');
  }

  async open(path = '/'): Promise<void> {
    await this.page.goto(this.origin + path);
  }

  /** Opens the link that starts a recording. */
  async record({
    source = 'mic',
    language = 'en',
    asr = 'whisper-tiny',
    ...more
  }: RecordLink = {}): Promise<void> {
    await this.open(
      `/?${new URLSearchParams({ action: 'record', source, language, asr, ...more }).toString()}`,
    );
  }

  async inState(state: 'idle' | 'recording' | 'paused'): Promise<void> {
    await expect(this.page.locator(`[data-recorder=${state}]`)).toBeVisible();
  }

  async modelReady(asr: string): Promise<void> {
    const model = this.page.locator(`[data-status=model][data-model=${asr}]`);
    await expect(model).toHaveAttribute('data-state', 'ready', { timeout: 240_000 });
  }

  /** Opens the panel of the tabs, if it is not open. */
  async showTabs(): Promise<void> {
    if ((await this.page.locator('#panel [data-tab]').count()) === 0)
      await this.page.locator('[data-panel=tabs]').click();
    await expect(this.page.locator('#panel [data-tab][data-self=true]')).toBeVisible();
  }

  /** Waits until the engine of all tabs runs here. */
  async ownsEngine(): Promise<void> {
    await this.showTabs();
    await expect(this.page.locator('#panel [data-tab][data-self=true][data-owner=true]')).toBeVisible();
    await expect(this.page.locator('#panel [data-fact=epoch]')).toBeVisible();
  }

  /** What the engine says of itself, by the names of docs/automation.md. */
  async fact(name: string): Promise<readonly string[]> {
    await this.showTabs();
    return this.page.locator(`#panel [data-fact=${name}] dd`).allTextContents();
  }

  /** Waits until an utterance that began at that time or later is shown and not yet final. */
  async speakingAfter(startMs: number): Promise<void> {
    await expect
      .poll(async () => (await this.read()).some((one) => one.startMs >= startMs && one.state !== 'final'), {
        message: `an open utterance after ${startMs} ms`,
        timeout: startMs + 120_000,
        intervals: [50],
      })
      .toBe(true);
  }

  /** Length of the longest journal on the disk, ms. */
  async journalMs(): Promise<number> {
    return this.page.evaluate(async () => {
      let bytes = 0;
      const journals = await (await navigator.storage.getDirectory()).getDirectoryHandle('journal');
      for await (const session of journals.values())
        if (session.kind === 'directory')
          for await (const file of session.values())
            if (file.kind === 'file') bytes = Math.max(bytes, (await file.getFile()).size);
      return bytes / 32;
    });
  }

  /** A message of the app by its code (docs/automation.md). */
  notice(code: string): Locator {
    return this.page.locator(`[data-notice=${code}]`);
  }

  /** Waits for a final utterance that reaches `endMs` on the microphone's clock, with none open after it. */
  async finalUntil(endMs: number): Promise<void> {
    await expect
      .poll(
        async () => {
          const last = (await this.read()).at(-1);
          return last?.state === 'final' ? last.endMs : 0;
        },
        { message: `end of the last final utterance, ms`, timeout: endMs + 200_000 },
      )
      .toBeGreaterThanOrEqual(endMs - CLOCK_TOLERANCE_MS);
  }

  /** Stops the recording by its key and waits until its last word is final. */
  async stop(): Promise<void> {
    await this.page.keyboard.press('r');
    await this.inState('idle');
    await expect(this.segments.and(this.page.locator(':not([data-state=final])'))).toHaveCount(0);
  }

  /** The transcript as a reader or another program finds it. */
  async read(): Promise<ShownSegment[]> {
    return this.segments.evaluateAll((items) =>
      items.map((item) => {
        const { segmentId = '', startMs, endMs, language = '', state = '' } = (item as HTMLElement).dataset;
        return {
          id: segmentId,
          startMs: Number(startMs),
          endMs: Number(endMs),
          language,
          state,
          text: item.querySelector('[data-role=original]')?.textContent.trim() ?? '',
        };
      }),
    );
  }

  async text(): Promise<string> {
    return (await this.read()).map((segment) => segment.text).join(' ');
  }
}
