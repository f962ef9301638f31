import { m } from '@src/paraglide/messages.js';
import type { Notice, PageNotice } from '@src/stores/notices.svelte.ts';
import { errorText, wholeSecondsText } from './text.ts';

const PAGE_TEXTS: Record<PageNotice, (recoveredMs: number) => string> = {
  'record-requested': () => m.notice_record_requested(),
  'busy-recording': () => m.notice_busy_recording(),
  'no-engine': () => m.notice_no_engine(),
  'single-tab': () => m.notice_single_tab(),
  'memory-journal': () => m.notice_memory_journal(),
  recovering: (recoveredMs) =>
    recoveredMs === 0
      ? m.notice_recovering_begins()
      : m.notice_recovering({ seconds: wholeSecondsText(recoveredMs) }),
};

const isPageNotice = (code: Notice['code']): code is PageNotice => code in PAGE_TEXTS;

/** @param recoveredMs how much is being recovered, for the notice that says so; 0 while that is not known */
export const noticeText = (code: Notice['code'], recoveredMs: number): string =>
  isPageNotice(code) ? PAGE_TEXTS[code](recoveredMs) : errorText(code);

type ActionKind = NonNullable<Notice['action']>['kind'];

const ACTION_TEXTS: Record<ActionKind, () => string> = {
  record: m.start_listening,
  microphone: m.action_microphone,
  share: m.action_share,
  'resume-audio': m.action_resume_audio,
  'choose-file': m.action_choose_file,
  'retry-model': m.action_retry,
  download: m.action_download,
  reload: m.action_reload,
  'show-recovered': m.action_show,
};

export const noticeActionText = (kind: ActionKind): string => ACTION_TEXTS[kind]();
