import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { align, errorRatePercent, score, total, unitsOf } from '../support/scoring.ts';

describe('what is compared', () => {
  it.each([
    ['en', "Don't STOP, it's “over”!", 'do not stop it is over'],
    ['en', 'You can’t; we cannot.', 'you can not we can not'],
    ['en', 'They’ll meet at 10:30 in room 4B.', 'they will meet at 10 30 in room 4b'],
    ['es', '¿Qué pasó? ¡Mañana, sí!', 'qué pasó mañana sí'],
    ['fr', "L'été, c’est à Montréal…", 'l été c est à montréal'],
  ])('%s: %s', (language, text, words) => {
    expect(unitsOf(text, language).join(' ')).toBe(words);
  });

  it('Chinese is compared per character, in simplified ones', () => {
    expect(unitsOf('廣州市房地產,中介協會 分析。', 'zh').join(' ')).toBe(
      '广 州 市 房 地 产 中 介 协 会 分 析',
    );
  });

  it('a missing accent is an error', () => {
    expect(score('la mañana', 'la manana', 'es')).toMatchObject({ substitutions: 1 });
  });
});

describe('error counts', () => {
  it.each([
    ['the cat sat on the mat', 'the cat sat on the mat', 0, 0, 0],
    ['the cat sat on the mat', 'the bat sat on the mat', 1, 0, 0],
    ['the cat sat on the mat', 'the cat sat the mat', 0, 1, 0],
    ['the cat sat on the mat', 'the cat sat on on the mat', 0, 0, 1],
    ['a b c d', 'b x d e', 1, 1, 1],
    ['', 'you', 0, 0, 1],
    ['hello there', '', 0, 2, 0],
  ])('"%s" read as "%s"', (reference, hypothesis, substitutions, deletions, insertions) => {
    expect(score(reference, hypothesis, 'en')).toMatchObject({ substitutions, deletions, insertions });
  });

  it('rates: one of four words is 25 %, a text out of nothing is infinite', () => {
    expect(errorRatePercent(score('one two three four', 'one two three for', 'en'))).toBe(25);
    expect(errorRatePercent(score('', 'you', 'en'))).toBe(Infinity);
    expect(errorRatePercent(score('', '', 'en'))).toBe(0);
    expect(errorRatePercent(score('广州市', '廣州是', 'zh'))).toBeCloseTo(33.33, 2);
  });

  it('a corpus adds its errors and its words, it does not average rates', () => {
    const clips = [score('yes', 'no', 'en'), score('one two three four', 'one two three four', 'en')];
    expect(errorRatePercent(total(clips))).toBe(20);
  });

  it('edits are a distance: never more than the longer text, zero only for equal ones, both ways equal', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(words, words, (left, right) => {
        const forth = align(left, right);
        const back = align(right, left);
        const count = forth.substitutions + forth.deletions + forth.insertions;
        expect(count).toBe(back.substitutions + back.deletions + back.insertions);
        expect(count).toBeLessThanOrEqual(Math.max(left.length, right.length));
        expect(count === 0).toBe(left.join() === right.join());
        expect(forth.insertions - forth.deletions).toBe(right.length - left.length);
      }),
    );
  });
});
