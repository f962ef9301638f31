import type { ModelStatus } from '@core/protocol/engine.ts';
import { m } from '@src/paraglide/messages.js';
import { getLocale } from '@src/paraglide/runtime.js';
import { isMissing } from '@src/stores/engine-status.svelte.ts';
import type { Notice, PageNotice } from '@src/stores/notices.svelte.ts';
import { errorText, modelName, wholeSecondsText } from './text.ts';

/** What some notices tell of what is going on. */
export interface NoticeFacts {
  /** How much is being recovered, ms; 0 while that is not known. */
  readonly recoveredMs: number;
  readonly failedTranslators: readonly ModelStatus[];
}

const names = (models: readonly ModelStatus[]): string =>
  new Intl.ListFormat(getLocale()).format(models.map(({ model }) => modelName(model)));

const PAGE_TEXTS: Record<PageNotice, (facts: NoticeFacts) => string> = {
  'record-requested': () => m.notice_record_requested(),
  'busy-recording': () => m.notice_busy_recording(),
  'no-engine': () => m.notice_no_engine(),
  'single-tab': () => m.notice_single_tab(),
  'memory-journal': () => m.notice_memory_journal(),
  recovering: ({ recoveredMs }) =>
    recoveredMs === 0
      ? m.notice_recovering_begins()
      : m.notice_recovering({ seconds: wholeSecondsText(recoveredMs) }),
  'translator-missing': ({ failedTranslators }) =>
    m.notice_translator_missing({ names: names(failedTranslators.filter(isMissing)) }),
  'translator-failed': ({ failedTranslators }) =>
    m.notice_translator_failed({ names: names(failedTranslators.filter((status) => !isMissing(status))) }),
};

const isPageNotice = (code: Notice['code']): code is PageNotice => code in PAGE_TEXTS;

export const noticeText = (code: Notice['code'], facts: NoticeFacts): string =>
  isPageNotice(code) ? PAGE_TEXTS[code](facts) : errorText(code);

type ActionKind = NonNullable<Notice['action']>['kind'];

const ACTION_TEXTS: Record<ActionKind, () => string> = {
  record: m.start_listening,
  microphone: m.action_microphone,
  share: m.action_share,
  'resume-audio': m.action_resume_audio,
  'choose-file': m.action_choose_file,
  'retry-model': m.action_retry,
  'fetch-browser-model': m.action_fetch_browser_model,
  'retry-browser-model': m.action_retry,
  'own-translator': m.action_own_translator,
  download: m.action_download,
  reload: m.action_reload,
  'show-recovered': m.action_show,
};

export const noticeActionText = (kind: ActionKind): string => ACTION_TEXTS[kind]();
