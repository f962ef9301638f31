import type { ErrorCode, UnisonoError } from '@core/protocol/errors.ts';
import type { LinkProblem } from '@core/links.ts';

/** What a notice offers to do about it; the words for it are the UI's. */
export type NoticeAction =
  | 'microphone'
  | 'share'
  | 'resume-audio'
  | 'choose-file'
  | 'retry-model'
  | 'fetch-browser-model'
  | 'retry-browser-model'
  | 'own-translator'
  | 'download'
  | 'reload'
  | 'show-recovered';

/** What is worth saying and is no failure of one call. */
export type PageNotice =
  | 'record-requested'
  | 'busy-recording'
  /** The engine does not start; it is tried again. */
  | 'no-engine'
  /** This browser cannot share an engine between tabs. */
  | 'single-tab'
  /** What is recorded is kept in memory only. */
  | 'memory-journal'
  /** A recording whose tab died is being finished. */
  | 'recovering'
  /** Models that translate could not be fetched, or do not run here. */
  | 'translator-missing'
  | 'translator-failed';

export interface Notice {
  readonly id: number;
  readonly code: ErrorCode | PageNotice;
  readonly level: 'error' | 'warning' | 'info';
  /** Names worth showing, such as a file's; never transcript text. */
  readonly details: readonly string[];
  readonly problems: readonly LinkProblem[];
  readonly action: { readonly kind: NoticeAction | 'record'; readonly run: () => void } | null;
}

const ACTIONS: Partial<Record<ErrorCode, NoticeAction>> = {
  'microphone-denied': 'microphone',
  'microphone-missing': 'microphone',
  'microphone-busy': 'microphone',
  'microphone-unplugged': 'microphone',
  'share-denied': 'share',
  'share-without-audio': 'share',
  'share-ended': 'share',
  'audio-suspended': 'resume-audio',
  'file-not-audio': 'choose-file',
  'file-unsupported-codec': 'choose-file',
  'model-download-failed': 'retry-model',
  'model-missing-offline': 'retry-model',
  'model-corrupt': 'retry-model',
  'model-failed': 'retry-model',
  'model-wrong-answer': 'retry-model',
  'browser-translator-press': 'fetch-browser-model',
  'browser-translator-failed': 'retry-browser-model',
  'browser-translator-unavailable': 'own-translator',
  'engine-lost': 'reload',
  'other-protocol': 'reload',
  'storage-full': 'download',
  'storage-failed': 'download',
};

/** Failures that go on by themselves: said, but not in red. */
const WARNINGS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'microphone-muted',
  'share-ended',
  'audio-suspended',
  'file-truncated',
  'vad-degraded',
  'gpu-lost',
  'storage-low',
  'browser-translator-press',
  'browser-translator-failed',
  'browser-translator-unavailable',
]);

type NewNotice = Omit<Notice, 'id' | 'details' | 'problems'> & Partial<Pick<Notice, 'details' | 'problems'>>;

/** Messages that stay until they are dealt with. One per code: a newer one takes the place of the older. */
export class NoticesStore {
  #list = $state.raw<readonly Notice[]>([]);
  #nextId = 1;
  readonly #handlers: Partial<Record<NoticeAction, () => void>> = {};

  get list(): readonly Notice[] {
    return this.#list;
  }

  /** What each kind of action does; a kind without a handler is not offered. */
  handle(action: NoticeAction, run: () => void): void {
    this.#handlers[action] = run;
  }

  /** Shows a failure. An aborted call is what somebody asked for and shows nothing. */
  report(error: UnisonoError, problems: readonly LinkProblem[] = []): void {
    if (error.code === 'aborted') return;
    const kind = ACTIONS[error.code];
    const run = kind && this.#handlers[kind];
    this.show({
      code: error.code,
      level: WARNINGS.has(error.code) ? 'warning' : 'error',
      details: Object.values(error.detail),
      problems,
      action: kind && run ? { kind, run } : null,
    });
  }

  show(notice: NewNotice): void {
    const shown: Notice = { details: [], problems: [], ...notice, id: this.#nextId++ };
    this.#list = [...this.#list.filter((other) => other.code !== shown.code), shown];
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((notice) => notice.id !== id);
  }

  /** Takes back messages that no longer hold. */
  clear(...codes: readonly Notice['code'][]): void {
    const left = this.#list.filter((notice) => !codes.includes(notice.code));
    if (left.length < this.#list.length) this.#list = left;
  }

  act(notice: Notice): void {
    this.dismiss(notice.id);
    notice.action?.run();
  }
}
