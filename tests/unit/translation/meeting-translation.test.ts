import { expect, test } from 'vitest';
import { MeetingTranslation } from '@core/translation/meeting-translation.ts';
import type { Sentence, SentenceRequest } from '@core/translation/translate-sentence.ts';
import type { GlossaryEntry, SegmentTranslation } from '@core/translation/types.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { segment, SESSION } from '../../support/segments.ts';
import { settled } from '../../support/virtual-clock.ts';

/** A translator whose answers the test gives. */
function byHand() {
  const waiting: (Deferred<Sentence> & SentenceRequest)[] = [];
  const shown: SegmentTranslation[] = [];
  const begin = (glossary: readonly GlossaryEntry[] = []): MeetingTranslation =>
    new MeetingTranslation({ sessionId: SESSION, target: 'es' }, glossary, {
      translate: (request) => {
        const made = deferred<Sentence>();
        waiting.push({ ...made, ...request });
        return made.promise;
      },
      translated: (translation) => shown.push(translation),
    });
  const next = async (sentence: Partial<Sentence> = {}): Promise<void> => {
    const call = waiting.shift()!;
    call.resolve({ translation: `¡${call.text}!`, ...sentence });
    await settled();
  };
  return { begin, waiting, shown, next, texts: () => waiting.map(({ text }) => text) };
}

test('a language whose model is on its way keeps neither another nor what was said before waiting', async () => {
  const { begin, waiting, next, texts, shown } = byHand();
  const meeting = begin();
  meeting.hear(segment(9000, 'Bonjour à tous.', { language: 'fr' }));
  meeting.load([segment(0, 'Said before.')], []);
  expect(texts()).toEqual(['Bonjour à tous.', 'Said before.']);
  meeting.hear(segment(12_000, 'Good morning.'));
  const french = waiting.shift()!;
  while (waiting.length > 0) await next();
  expect(shown.map(({ units }) => units[0]?.text)).toEqual(['Said before.', 'Good morning.']);
  french.resolve({ translation: 'Buenos días a todos.' });
  await settled();
  expect(shown).toHaveLength(3);
});

test('a sentence on its way for the backlog and as a live one is shown once, and the one behind it, too', async () => {
  const { begin, waiting, next, shown } = byHand();
  const meeting = begin();
  const spoken = segment(0, 'Good morning. And welcome.');
  meeting.load([spoken], []);
  meeting.hear({ ...spoken, rev: 2 });
  expect(waiting).toHaveLength(2);
  while (waiting.length > 0) await next();
  expect(shown.at(-1)).toMatchObject({
    complete: true,
    units: [{ text: 'Good morning.' }, { text: 'And welcome.' }],
  });
});

test('lines made anew by a model that leads straight to the target are no longer marked as by way of English', async () => {
  const { begin, next, shown } = byHand();
  const spoken = segment(0, 'Le conseil vote. Il est tard.', { language: 'fr' });
  const before = begin();
  before.hear(spoken);
  await next({ via: 'en' });
  await next({ via: 'en' });
  before.close();
  const meeting = begin([{ from: 'fr', to: 'es', term: 'conseil', translation: 'consejo' }]);
  meeting.load([spoken], shown.slice(-1));
  await next();
  await next();
  expect(shown.map(({ via, complete }) => [via, complete])).toEqual([
    ['en', false],
    ['en', true],
    ['en', false],
    [undefined, true],
  ]);
});
