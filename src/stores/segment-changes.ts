import type { SegmentId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';

/** What is new in a list of segments, or another version of one, and what is gone. A segment that did not change is the same object. */
export function changesOf(
  before: readonly Segment[],
  after: readonly Segment[],
): { readonly changed: readonly Segment[]; readonly gone: readonly SegmentId[] } {
  const known = new Set(before);
  const left = new Set(after.map(({ id }) => id));
  return {
    changed: after.filter((segment) => !known.has(segment)),
    gone: before.map(({ id }) => id).filter((id) => !left.has(id)),
  };
}
