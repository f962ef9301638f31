import { expect, test } from 'vitest';
import { LANGUAGES } from '@core/transcript/types.ts';
import { routeOf } from '@core/translation/route.ts';

const NONE = new Set<never>();

test('with English on one side one model translates, between the others two', () => {
  expect(routeOf('en', 'zh', NONE)).toEqual(['opus-mt-en-zh']);
  expect(routeOf('es', 'en', NONE)).toEqual(['opus-mt-es-en']);
  expect(routeOf('zh', 'fr', NONE)).toEqual(['opus-mt-zh-en', 'opus-mt-en-fr']);
});

test('Spanish and French go straight once that model is installed, each direction for itself', () => {
  expect(routeOf('es', 'fr', NONE)).toEqual(['opus-mt-es-en', 'opus-mt-en-fr']);
  expect(routeOf('es', 'fr', new Set(['opus-mt-es-fr']))).toEqual(['opus-mt-es-fr']);
  expect(routeOf('fr', 'es', new Set(['opus-mt-es-fr']))).toEqual(['opus-mt-fr-en', 'opus-mt-en-es']);
});

test('there is a way between any two languages, and none is needed within one', () => {
  for (const from of LANGUAGES) {
    for (const to of LANGUAGES) {
      const route = routeOf(from, to, NONE);
      expect(route, `${from}→${to}`).toHaveLength(from === to ? 0 : from === 'en' || to === 'en' ? 1 : 2);
    }
  }
});
