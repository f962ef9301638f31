import type { TabId } from '../protocol/ids.ts';
import type { TabState } from '../protocol/tabs.ts';

/** The owner's own tab. */
export interface OwnTab {
  readonly build: number;
  readonly visible: boolean;
  readonly recording: boolean;
}

/**
 * The tab that should own the engine instead of an idle one: a tab that records, before a hidden page (a hidden page may be
 * frozen, a recording one is not), else the newest build that is open. Never a build older than the owner's. Pure.
 */
export function heirOf(own: OwnTab, others: Iterable<TabState>): TabId | null {
  const eligible = [...others].filter(({ build }) => build >= own.build).sort(byPreference);
  const recorder =
    own.visible || own.recording ? undefined : eligible.find(({ recording }) => recording.length > 0);
  return (recorder ?? eligible.find(({ build }) => build > own.build))?.tab ?? null;
}

const byPreference = (first: TabState, second: TabState): number =>
  second.build - first.build ||
  Number(second.visible) - Number(first.visible) ||
  second.openedAtMs - first.openedAtMs;
