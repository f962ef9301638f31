import { expect, test } from 'vitest';
import { isKnownAnswer, normalizedWords, wordErrorRate } from '@core/text/known-answer.ts';

test('a model that writes the known answer differently but says the same words passes', () => {
  expect(isKnownAnswer('Good morning everyone. Thank you for coming to the meeting today.')).toBe(true);
  expect(isKnownAnswer(' good morning, everyone! thank you for coming to the meeting today')).toBe(true);
});

test.each([
  ['a word wrong', 'Good morning everyone. Thank you for coming to the meting today.'],
  ['a word missing', 'Good morning everyone. Thank you for coming to the meeting.'],
  ['a word too many', 'Good morning everyone. Thank you for coming to the meeting today. Bye.'],
  ['nothing', ''],
  ['gibberish', '!!!!!!!!!!!!!!!!'],
])('a model that reads %s does not pass', (_, heard) => {
  expect(isKnownAnswer(heard)).toBe(false);
});

test('errors are counted in words of what was said', () => {
  expect(wordErrorRate('one two three four', 'one too three')).toBe(0.5);
  expect(wordErrorRate('one', 'one two three')).toBe(2);
  expect(normalizedWords('Don’t stop — “now”, l’été!')).toEqual(["don't", 'stop', 'now', "l'été"]);
});
