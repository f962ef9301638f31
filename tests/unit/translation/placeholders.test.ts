import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressSpans, numberSpans, protect, restore } from '@core/translation/placeholders.ts';

const found = (spans: readonly { value: string }[]): string[] => spans.map(({ value }) => value);

describe('what is kept out of the translation', () => {
  test.each([
    ['Write to ana.perez+x@mail.example.com, please.', ['ana.perez+x@mail.example.com']],
    [
      'See https://example.org/a?b=1&c=2. Then www.example.net!',
      ['https://example.org/a?b=1&c=2', 'www.example.net'],
    ],
    ['请打开example.com/help，谢谢。', ['example.com/help']],
    ['Read foo.de, bar.it or docs.rs; then Example.com.', ['foo.de', 'bar.it', 'docs.rs', 'Example.com']],
    [
      'It is at localhost:8080 or on host.example:9000/a, not on localhost.',
      ['localhost:8080', 'host.example:9000/a'],
    ],
    [
      'Take ftp://files.example/a.zip or intranet.corp/help.',
      ['ftp://files.example/a.zip', 'intranet.corp/help'],
    ],
    [
      'Voir https://élysée.example/été?a=é et münchen.de/straße.',
      ['https://élysée.example/été?a=é', 'münchen.de/straße'],
    ],
    ['见https://例子.中国/路径。', ['https://例子.中国/路径']],
    ['请看https://zh.example.org/wiki/北京_大学，谢谢。', ['https://zh.example.org/wiki/北京_大学']],
    ['打开https://example.org查看。', ['https://example.org']],
    ['I like it.It is good.No, 3.5 km/h and/or e.g./i.e. at 5 p.m./6 p.m.', []],
    ['He came.I left. It took 3.5 hours, e.g. with Node.js.', []],
  ])('addresses, without the marks behind them: %s', (text, addresses) => {
    expect(found(addressSpans(text))).toEqual(addresses);
  });

  test.each([
    ['On 2024/03/15 at 14:30 we sold 1,000.50 of 20.', ['2024/03/15', '14:30', '1,000.50', '20']],
    ['À 14 h 30 et à 9h15, 1\u202f000 euros.', ['14 h 30', '9h15', '1\u202f000']],
    ['会议在3月15日，有3万人。', ['3', '15']],
    ['The 21st, 5km, B2B and 3.5GHz stay as they are.', []],
  ])('numbers: %s', (text, numbers) => {
    expect(found(numberSpans(text))).toEqual(numbers);
  });
});

describe('placeholders', () => {
  const text = 'Ana sends 25 boxes to ana@example.com.';
  const shielded = protect(text, [...addressSpans(text), ...numberSpans(text)]);

  test('stand where the words stood', () => {
    expect(shielded.text).toBe('Ana sends X1Z boxes to X2Z.');
    expect(protect(text, []).text).toBe(text);
  });

  test.each([
    ['Ana envía X1Z cajas a X2Z.', 'Ana envía 25 cajas a ana@example.com.'],
    ['A x2z envía Ana X 1 Z cajas.', 'A ana@example.com envía Ana 25 cajas.'],
    ['安娜向X2Z发送X1Z个盒子。', '安娜向ana@example.com发送25个盒子。'],
  ])('are found wherever the translation puts them, in any case and spacing: %s', (translated, restored) => {
    expect(restore(translated, shielded)).toBe(restored);
  });

  test.each([
    ['lost', 'Ana envía X1Z cajas.'],
    ['doubled', 'Ana envía X1Z cajas a X2Z y X2Z.'],
    ['invented', 'Ana envía X1Z cajas a X2Z, X3Z.'],
    ['half there', 'Ana envía X1Z cajas a X2.'],
  ])('one that is %s makes the translation useless', (_, translated) => {
    expect(restore(translated, shielded)).toBeNull();
  });

  test('are different from what the text holds', () => {
    const odd = protect('The X1Z has 4 wheels.', [{ start: 12, end: 13, value: '$&4' }]);
    expect(restore(odd.text, odd)).toBe('The X1Z has $&4 wheels.');
  });

  test('of two that overlap the longer counts', () => {
    const { text: result, values } = protect('New York Times', [
      { start: 0, end: 8, value: 'Nueva York' },
      { start: 0, end: 14, value: 'New York Times' },
    ]);
    expect([result, values]).toEqual(['X1Z', ['New York Times']]);
  });

  test('of any text come back as what they stood for', () => {
    const words = fc.array(
      fc.constantFrom('we', 'X', '1', ' ', ', ', '.', '-', '中', '文', 'été', 'X1Z', '10'),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(words, fc.infiniteStream(fc.boolean()), (list, chosen) => {
        const source = list.join('');
        const spans = Array.from(source.matchAll(/\p{Script=Han}|[a-zé0-9]+/giu), ({ 0: value, index }) => ({
          start: index,
          end: index + value.length,
          value,
        })).filter(() => chosen.next().value);
        const result = protect(source, spans);
        expect(restore(result.text, result)?.replace(/ /g, '')).toBe(source.replace(/ /g, ''));
      }),
    );
  });

  test('do not touch Latin words or each other', () => {
    const shielded = protect('API预算会议', [
      { start: 3, end: 5, value: 'budget' },
      { start: 5, end: 7, value: 'meeting' },
    ]);
    expect(shielded.text).toBe('API X1Z X2Z');
  });
});
