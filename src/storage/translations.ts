import type { SessionId } from '@core/protocol/ids.ts';
import type { Language } from '@core/transcript/types.ts';
import type { SegmentTranslation } from '@core/translation/types.ts';
import type { UnisonoDatabase } from './database.ts';

/** What is stored of a meeting in one language. */
export const loadTranslations = (
  database: UnisonoDatabase,
  id: SessionId,
  target: Language,
): Promise<readonly SegmentTranslation[]> =>
  // Arrays sort after every string: all keys that begin with these two.
  database.getAll('translations', IDBKeyRange.bound([id, target], [id, target, []]));
