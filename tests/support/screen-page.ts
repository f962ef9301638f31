import { expect, vi } from 'vitest';
import type { SessionId, SourceId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { Screen } from './screen.ts';
import { segment } from './segments.ts';

export const RECORD = '[data-action=record]';

/** What a person sees and does on the screen that is open at the time. */
export function screenPage(screen: () => Screen) {
  const state = () => screen().find('[data-recorder]').dataset.recorder;
  const inState = (wanted: string) => vi.waitFor(() => expect(state()).toBe(wanted));
  return {
    state,
    inState,
    items: () => screen().all('ol[role=log] > li[data-segment-id]'),
    text: (item: HTMLElement) => item.querySelector('[data-role=original]')?.textContent,
    status: (name: string) => screen().find(`[data-status=${name}]`).textContent.trim(),
    listed: (id: SessionId) => screen().find(`#panel li[data-session-id="${id}"]`),

    startRecording: async () => {
      screen().find(RECORD).click();
      await inState('recording');
    },

    /** What the engine says of an utterance of the session that is being recorded. */
    say: (value: Segment) => {
      const sessionId = screen().app.recorder.sessionId!;
      screen().publish({ type: value.state === 'final' ? 'segment' : 'partial', sessionId, segment: value });
    },

    spoken: (startMs: number, text: string, change: Partial<Segment> = {}) =>
      segment(startMs, text, {
        sourceId: screen().app.sources.list[0]?.sourceId ?? ('m' as SourceId),
        ...change,
      }),
  };
}
