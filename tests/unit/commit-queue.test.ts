import { expect, test } from 'vitest';
import type { SegmentId } from '@core/protocol/ids.ts';
import { sampleIndex } from '@core/protocol/ids.ts';
import { CommitQueue } from '@workers/engine/commit-queue.ts';
import { MICROPHONE, segment, SESSION } from '../support/segments.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

test('what is said is stored at whatever moment it comes while another utterance is noted', async () => {
  const spoken = segment(0, 'Ask not.');
  const other = segment(3000, 'And so', { state: 'committed' });
  for (let turns = 0; turns < 20; turns += 1) {
    const written: SegmentId[] = [];
    const queue = new CommitQueue({
      store: {
        commit: async ({ segmentId }) => void written.push(segmentId),
        note: async () => undefined,
      },
      clock: new VirtualClock(),
      changed: () => undefined,
      fenced: () => undefined,
    });
    queue.note({ sessionId: SESSION, segmentId: other.id, segment: other });
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const progress = {
      sessionId: SESSION,
      sourceId: MICROPHONE,
      acknowledged: sampleIndex(32_000),
      recent: { language: null, said: [] },
    };
    queue.add({ sessionId: SESSION, segmentId: spoken.id, segment: spoken, progress }, () => undefined);
    await settled();
    expect(written, `after ${turns} turns`).toEqual([spoken.id]);
  }
});
