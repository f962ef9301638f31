import { afterEach, expect, test } from 'vitest';
import { openDatabase } from '@src/storage/database.ts';
import { deleteMeeting, saveMeeting } from '@src/storage/meetings.ts';
import { TestEngine } from '../support/engine.ts';
import { loadPhrasebook, STAND_INS, type Phrase } from '../support/phrasebook.ts';
import { meeting, segment, SESSION, words } from '../support/segments.ts';

const book = await loadPhrasebook();

let engine: TestEngine | null = null;
afterEach(async () => {
  engine?.dispose();
  const database = await openDatabase();
  await deleteMeeting(database, SESSION);
  database.close();
});

/** Nothing after its end, and nothing that a stand-in gets wrong. */
const isEasy = ({ id, es }: Phrase): boolean =>
  /^[^.!?¿¡]{15,60}\.$/u.test(es) && !/\d/u.test(es) && !(book?.missed.has(id) ?? true);

test.skipIf(!book)(
  'a meeting of yesterday is read in French: its Spanish goes through English, and the lines are kept',
  async () => {
    const phrase = book!.phrases.find(isEasy)!;
    const spoken = segment(0, '', { language: 'es', committed: words(phrase.es) });
    const database = await openDatabase();
    await saveMeeting(database, meeting());
    await database.put('segments', { sessionId: SESSION, segment: spoken });

    engine = new TestEngine();
    await engine.call('translate', [{ sessionId: SESSION, target: 'fr', glossary: [] }]);
    const translation = await engine.first((event) =>
      event.type === 'translation' ? event.translation : undefined,
    );
    expect(translation).toMatchObject({
      segmentId: spoken.id,
      target: 'fr',
      via: 'en',
      complete: true,
      units: [{ from: 0, to: spoken.committed.length, text: phrase.es, translation: phrase.fr }],
    });
    const { loads } = await engine.call('report', []);
    expect(loads.map(({ model }) => model)).toEqual(['opus-mt-es-en', 'opus-mt-en-fr']);
    await expect.poll(() => database.getAll('translations')).toEqual([translation]);
    const models = await engine.call('models', []);
    expect(STAND_INS.filter((id) => models.some(({ model }) => model === id))).toEqual([...STAND_INS]);
    database.close();
  },
);
