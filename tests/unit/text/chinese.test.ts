import { expect, test } from 'vitest';
import { simplifyWords, toSimplified } from '@core/text/chinese.ts';

const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 100 });

test('traditional characters become simplified, everything else stays', async () => {
  expect(await toSimplified('房地產中介協會分析')).toBe('房地产中介协会分析');
  expect(await toSimplified('Hello, ¿qué tal? 简体')).toBe('Hello, ¿qué tal? 简体');
});

test('words keep their borders and times', async () => {
  const words = [word('房地', 0), word('產', 100), word(' API', 200), word('協會。', 300)];
  expect(await simplifyWords(words)).toEqual([
    word('房地', 0),
    word('产', 100),
    word(' API', 200),
    word('协会。', 300),
  ]);
});

test('a phrase across a word border is converted as a phrase', async () => {
  // 乾 alone is 干; in 乾隆, a name, it stays.
  expect((await simplifyWords([word('乾', 0), word('隆', 100)])).map(({ text }) => text)).toEqual([
    '乾',
    '隆',
  ]);
  expect((await simplifyWords([word('餅', 0), word('乾', 100)])).map(({ text }) => text)).toEqual([
    '饼',
    '干',
  ]);
});
