import { describe, expect, it } from 'vitest';
import { parseLink } from '@core/links.ts';

describe('links that start a recording', () => {
  it('reads every documented parameter', () => {
    expect(parseLink('?action=record&source=both&language=zh&asr=moonshine-tiny&target=en')).toEqual({
      request: { action: 'record', source: 'both', language: 'zh', asr: 'moonshine-tiny' },
      target: 'en',
      problems: [],
    });
    expect(parseLink('action=record&language=auto&asr=auto').request).toEqual({
      action: 'record',
      language: 'auto',
      asr: 'auto',
    });
  });

  it('keeps what the user chose last where the link says nothing', () => {
    expect(parseLink('?action=record').request).toEqual({ action: 'record' });
  });

  it('asks for nothing without an action, and leaves foreign parameters alone', () => {
    expect(parseLink('')).toEqual({ request: null, target: null, problems: [] });
    expect(parseLink('?utm_source=mail&language=en')).toEqual({ request: null, target: null, problems: [] });
  });

  it('may say what to read in without starting anything', () => {
    expect(parseLink('?target=none')).toEqual({ request: null, target: 'none', problems: [] });
    expect(parseLink('?target=de')).toEqual({
      request: null,
      target: null,
      problems: [{ parameter: 'target', value: 'de', allowed: ['none', 'en', 'es', 'fr', 'zh'] }],
    });
  });

  it('starts nothing on an unknown value and says which one and what it may be', () => {
    const { request, problems } = parseLink('?action=record&source=phone&language=de');
    expect(request).toBeNull();
    expect(problems).toEqual([
      { parameter: 'source', value: 'phone', allowed: ['mic', 'tab', 'both'] },
      { parameter: 'language', value: 'de', allowed: ['auto', 'en', 'es', 'fr', 'zh'] },
    ]);
  });
});
