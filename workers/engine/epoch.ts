import type { Epoch } from '@core/protocol/ids.ts';
import { openDatabase } from '@src/storage/database.ts';

/**
 * Takes the next epoch of this device in one transaction, so that no two engines ever have the same.
 * @param above what was heard of already: storage may have been cleared under open tabs
 */
export const takeEpoch = (above: number): Promise<Epoch> =>
  changeEpoch((stored) => Math.max(stored, above) + 1);

/** Where every tab has an engine of its own: all of them write in the name of the same epoch. */
export const joinEpoch = (): Promise<Epoch> => changeEpoch((stored) => Math.max(stored, 1));

async function changeEpoch(change: (stored: number) => number): Promise<Epoch> {
  const database = await openDatabase();
  try {
    const transaction = database.transaction('engine', 'readwrite');
    const epoch = change((await transaction.store.get('epoch')) ?? 0) as Epoch;
    await transaction.store.put(epoch, 'epoch');
    await transaction.done;
    return epoch;
  } finally {
    database.close();
  }
}
