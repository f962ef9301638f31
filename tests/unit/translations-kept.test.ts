import { expect, test } from 'vitest';
import { UnisonoError } from '@core/protocol/errors.ts';
import { newTabId } from '@core/protocol/ids.ts';
import type { Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation, TranslationView } from '@core/translation/types.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import type { EngineClient } from '@workers/engine/client.ts';
import { Translations } from '@workers/engine/translations.ts';
import { segment, SESSION } from '../support/segments.ts';
import { settled } from '../support/virtual-clock.ts';

/** A disk that the test makes slow or full, and a translator that answers at once. */
function begin() {
  const kept = new Map<string, SegmentTranslation>();
  const shown: SegmentTranslation[] = [];
  const asked: string[] = [];
  const disk = { kept, reading: null as Deferred<void> | null, writing: null as Deferred<void> | null };
  const translations = new Translations({
    store: {
      isRecorded: async () => true,
      segments: async () => [],
      translations: async () => {
        await disk.reading?.promise;
        return [...kept.values()];
      },
      putTranslation: async (translation) => {
        await disk.writing?.promise;
        kept.set(translation.segmentId, translation);
      },
    },
    translate: async ({ text }) => {
      asked.push(text);
      return { translation: `¡${text}!` };
    },
    askAnew: async () => undefined,
    publish: ({ translation }) => shown.push(translation),
    notStored: () => undefined,
    fenced: () => undefined,
  });
  translations.observe({ type: 'session', sessionId: SESSION, tab: newTabId(), state: 'open' });
  const hear = (spoken: Segment): void =>
    translations.observe({ type: 'segment', sessionId: SESSION, segment: spoken });
  return { translations, disk, kept, shown, asked, hear };
}

const SPANISH: TranslationView = { sessionId: SESSION, target: 'es', glossary: [] };
const reader = (): EngineClient => ({ tab: newTabId(), address: 'page', acknowledged: () => undefined });
const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await settled();
};
const lines = (shown: readonly SegmentTranslation[]): string[] =>
  shown.flatMap(({ units }) => units.map(({ translation }) => translation));

test('lines stored before are not replaced by others because speech goes on before they are read', async () => {
  const { translations, disk, kept, shown, asked, hear } = begin();
  const spoken = segment(0, 'We came home because it was late. It rained.');
  kept.set(spoken.id, {
    sessionId: SESSION,
    segmentId: spoken.id,
    target: 'es',
    units: [{ from: 0, to: 3, text: 'We came home', translation: 'Llegamos a casa' }],
    complete: false,
    glossary: '',
  });
  disk.reading = deferred();
  translations.setView(reader(), SPANISH);
  hear(spoken);
  await quiet();
  disk.reading.resolve();
  await quiet();
  expect(asked).toEqual(['because it was late.', 'It rained.']);
  expect(lines(shown.slice(-1))).toEqual(['Llegamos a casa', '¡because it was late.!', '¡It rained.!']);
});

test('what is said is translated although what is stored cannot be read', async () => {
  const { translations, disk, shown, hear } = begin();
  disk.reading = deferred();
  translations.setView(reader(), SPANISH);
  hear(segment(0, 'Good morning.'));
  disk.reading.reject(new UnisonoError('storage-failed', 'broken'));
  await quiet();
  expect(lines(shown)).toEqual(['¡Good morning.!']);
});

test('a tab that comes later is shown what is translated and not stored yet, and no model is asked again', async () => {
  const { translations, disk, shown, asked, hear } = begin();
  disk.writing = deferred();
  const first = reader();
  translations.setView(first, SPANISH);
  hear(segment(0, 'Good morning.'));
  await quiet();
  translations.setView(reader(), SPANISH);
  expect(lines(shown)).toEqual(['¡Good morning.!', '¡Good morning.!']);
  // Said again by a tab that reads it already.
  translations.setView(first, SPANISH);
  await quiet();
  expect(shown).toHaveLength(2);
  expect(asked).toHaveLength(1);
});

test('an engine that makes room for the next one leaves it all that is translated', async () => {
  const { translations, disk, kept, hear } = begin();
  disk.writing = deferred();
  translations.setView(reader(), SPANISH);
  for (const startMs of [0, 3000, 6000]) hear(segment(startMs, 'Good morning.'));
  await quiet();
  const drained = translations.drain();
  disk.writing.resolve();
  await drained;
  expect(kept.size).toBe(3);
});
