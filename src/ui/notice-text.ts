import { m } from '@src/paraglide/messages.js';
import type { Notice } from '@src/stores/notices.svelte.ts';
import { errorText } from './text.ts';

export function noticeText(code: Notice['code']): string {
  if (code === 'record-requested') return m.notice_record_requested();
  if (code === 'busy-recording') return m.notice_busy_recording();
  return errorText(code);
}

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
};

export const noticeActionText = (kind: ActionKind): string => ACTION_TEXTS[kind]();
