import { describe, expect, it } from 'vitest';
import type { Language, Segment } from '@core/transcript/types.ts';
import type { SegmentTranslation, TranslatedUnit } from '@core/translation/types.ts';
import { toCues } from '@src/export/cues.ts';
import { exportTranscript, type ExportFormat } from '@src/export/formats.ts';
import { wordingOf, type ExportedText, type Wording } from '@src/export/wording.ts';
import { meeting, segment, SESSION } from '../support/segments.ts';

const unit = (from: number, to: number, text: string, translation: string): TranslatedUnit => ({
  from,
  to,
  text,
  translation,
});

function translated(
  { id: segmentId }: Segment,
  target: Language,
  units: readonly TranslatedUnit[],
  change: Partial<SegmentTranslation> = {},
): SegmentTranslation {
  return { sessionId: SESSION, segmentId, target, units, complete: true, glossary: '', ...change };
}

function wording(text: ExportedText, ...translations: readonly SegmentTranslation[]): Wording {
  return {
    text,
    translations: {
      target: translations[0]?.target ?? 'fr',
      of: ({ id }) => translations.find(({ segmentId }) => segmentId === id) ?? null,
    },
  };
}

const written = (segments: readonly Segment[], format: ExportFormat, wanted: Wording) =>
  exportTranscript({ meeting: meeting(), segments }, format, wanted, () => 'Microphone').content;

const english =
  'The first part of the plan is ready for everyone here. We still need a budget for the second part.';
const sentences = segment(0, english, { endMs: 10_000 });
const units = [
  unit(
    0,
    11,
    'The first part of the plan is ready for everyone here.',
    'La première partie du plan est prête.',
  ),
  unit(
    11,
    20,
    'We still need a budget for the second part.',
    'Il nous faut encore un budget pour la seconde.',
  ),
];
const french = translated(sentences, 'fr', units);
const reply = segment(12_000, 'Merci beaucoup.', { language: 'fr' });

describe('a transcript in both languages', () => {
  const both = wording('both', french);

  it('TXT: the translation stands under its line; what has none stands alone', () => {
    expect(written([sentences, reply], 'txt', both)).toBe(
      `[0:00] ${english}\n` +
        '    → fr: La première partie du plan est prête. Il nous faut encore un budget pour la seconde.\n' +
        '[0:12] Merci beaucoup.\n',
    );
  });

  it('SRT: each cue says the same in both languages, the original above', () => {
    expect(written([sentences, reply], 'srt', both).replaceAll('\r\n', '\n')).toBe(
      '1\n00:00:00,000 --> 00:00:05,510\n' +
        'The first part of the plan\nis ready for everyone here.\nLa première partie du plan est prête.\n\n' +
        '2\n00:00:05,510 --> 00:00:10,000\n' +
        'We still need a budget\nfor the second part.\nIl nous faut encore un\nbudget pour la seconde.\n\n' +
        '3\n00:00:12,000 --> 00:00:14,000\nMerci beaucoup.\n\n',
    );
  });

  it('VTT: names the language of each line, and escapes both', () => {
    const source = segment(0, 'A < B');
    const chinese = translated(source, 'zh', [unit(0, 3, 'A < B', '甲 < 乙')]);
    expect(written([source, reply], 'vtt', wording('both', chinese))).toBe(
      `WEBVTT\n\n${source.id}-1\n00:00:00.000 --> 00:00:02.000\n` +
        '<lang en>A &lt; B</lang>\n<lang zh>甲 &lt; 乙</lang>\n\n' +
        `${reply.id}-1\n00:00:12.000 --> 00:00:14.000\n<lang fr>Merci beaucoup.</lang>\n\n`,
    );
  });

  it('JSON: units with the words they belong to, and the language they went through', () => {
    const viaEnglish = translated(sentences, 'fr', units, { via: 'en' });
    const document = JSON.parse(written([sentences, reply], 'json', wording('both', viaEnglish))) as {
      version: number;
      segments: unknown[];
    };
    expect(document.version).toBe(1);
    expect(document.segments).toMatchObject([
      { text: english, translations: [{ target: 'fr', via: 'en', complete: true, units }] },
      { text: 'Merci beaucoup.' },
    ]);
    expect(document.segments[1]).not.toHaveProperty('translations');
  });

  it('files are named after the language a player should look for', () => {
    const name = (wanted: Wording) =>
      exportTranscript({ meeting: meeting(), segments: [] }, 'srt', wanted, () => '').name;
    expect(name(both)).toBe('unisono-2026-03-01-0930.both-fr.srt');
    expect(name(wording('translation', french))).toBe('unisono-2026-03-01-0930.fr.srt');
    expect(name(wording('original', french))).toBe('unisono-2026-03-01-0930.srt');
  });
});

describe('a transcript in one language', () => {
  it('the original alone is as if nothing were translated', () => {
    const original = wording('original', french);
    expect(written([sentences], 'txt', original)).toBe(`[0:00] ${english}\n`);
    expect(written([sentences], 'srt', original)).not.toContain('première');
    expect(written([sentences], 'json', original)).not.toContain('première');
  });

  it('the translation alone: what has none appears in the original', () => {
    const translation = wording('translation', french);
    expect(written([sentences, reply], 'txt', translation)).toBe(
      '[0:00] La première partie du plan est prête. Il nous faut encore un budget pour la seconde.\n' +
        '[0:12] Merci beaucoup.\n',
    );
    expect(toCues({ meeting: meeting(), segments: [sentences, reply] }, translation)).toMatchObject([
      { startMs: 0, texts: [{ text: 'La première partie du plan est prête.', language: 'fr' }] },
      { endMs: 10_000, texts: [{ language: 'fr' }] },
      { startMs: 12_000, texts: [{ text: 'Merci beaucoup.', language: 'fr' }] },
    ]);
  });
});

describe('words without a translation', () => {
  const flawed: TranslatedUnit = { ...units[1]!, translation: units[1]!.text, flaw: 'degenerate' };

  it('a unit that could not be translated is written once, in the original', () => {
    const both = wording('both', translated(sentences, 'fr', [units[0]!, flawed]));
    const [first, second] = toCues({ meeting: meeting(), segments: [sentences] }, both);
    expect(first?.texts.map(({ language }) => language)).toEqual(['en', 'fr']);
    expect(second?.texts).toEqual([{ text: 'We still need a budget\nfor the second part.', language: 'en' }]);
    expect(written([sentences], 'txt', both)).toContain(
      'est prête. We still need a budget for the second part.\n',
    );
  });

  it('while nothing of a meeting is translated, what is chosen for translations does not count', () => {
    const { translations } = wording('both', french);
    expect(wordingOf([reply], translations, 'translation').text).toBe('original');
    expect(wordingOf([reply, sentences], translations, 'translation').text).toBe('translation');
  });

  it('a segment of which nothing could be translated has no second line', () => {
    const nothing = { ...units[0]!, translation: units[0]!.text, flaw: 'altered' } as const;
    const both = wording('both', translated(sentences, 'fr', [nothing, flawed]));
    expect(written([sentences], 'txt', both)).toBe(`[0:00] ${english}\n`);
  });

  it('words that are not translated yet are not lost, and keep their place', () => {
    const translation = wording('translation', translated(sentences, 'fr', [units[1]!], { complete: false }));
    expect(written([sentences], 'txt', translation)).toBe(
      '[0:00] The first part of the plan is ready for everyone here. ' +
        'Il nous faut encore un budget pour la seconde.\n',
    );
    const cues = toCues({ meeting: meeting(), segments: [sentences] }, translation);
    expect(cues.map(({ texts }) => texts[0]?.language)).toEqual(['en', 'fr']);
  });
});

describe('long sentences', () => {
  /** Each on at most two lines of its usual length, in the same order, and none of it lost. */
  function expectReadable(source: Segment, target: SegmentTranslation, lineOf: Record<string, number>) {
    const cues = toCues({ meeting: meeting(), segments: [source] }, wording('both', target));
    const bare = (text: string) => text.replaceAll(/\s/g, '');
    const all = (index: number) => bare(cues.map(({ texts }) => texts[index]!.text).join(''));
    expect(all(0)).toBe(bare(source.committed.map(({ text }) => text).join('')));
    expect(all(1)).toBe(bare(target.units.map(({ translation }) => translation).join('')));
    for (const [index, cue] of cues.entries()) {
      expect(cue.texts).toHaveLength(2);
      if (index > 0) expect(cue.startMs).toBeGreaterThanOrEqual(cues[index - 1]!.endMs);
      expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(7_000);
      for (const { text, language } of cue.texts) {
        const lines = text.split('\n');
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(lineOf[language!]!);
      }
    }
    return cues;
  }

  it('a sentence too long for a cue is cut at about the same place in both languages', () => {
    const text = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
    const translation = Array.from({ length: 40 }, (_, index) => `parole${index}`).join(' ');
    const long = segment(0, text, { endMs: 30_000 });
    const cues = expectReadable(long, translated(long, 'fr', [unit(0, 40, text, translation)]), {
      en: 50,
      fr: 50,
    });
    expect(cues.length).toBeGreaterThan(3);
    for (const { texts } of cues) {
      const [first, second] = texts.map(({ text: shown }) => Number(/\d+/.exec(shown)?.[0]));
      expect(Math.abs(first! - second!)).toBeLessThanOrEqual(1);
    }
  });

  it('Chinese: few words of one language stand for many of the other', () => {
    const text =
      'We should move the date of the release, because the translators in Madrid and in Lyon need two more weeks.';
    const chinese = '我们应该推迟发布日期，因为马德里和里昂的翻译人员还需要两周时间，而且他们周五“不上班”。';
    const source = segment(0, text, { endMs: 6_000 });
    const cues = expectReadable(source, translated(source, 'zh', [unit(0, 20, text, chinese)]), {
      en: 50,
      zh: 18,
    });
    for (const { texts } of cues)
      for (const line of texts[1]!.text.split('\n')) expect(line).not.toMatch(/^[，。！？”]/);
  });

  it('Chinese words: the translation of each sentence follows them', () => {
    const spoken = Array.from('大家好我们开始吧今天的会议很短');
    const committed = spoken.map((text) => ({ text, startMs: null, endMs: null }));
    const source = segment(0, '', { language: 'zh', endMs: 4_000, committed });
    const english = [
      unit(0, 8, '大家好我们开始吧', 'Hello everyone, let us begin.'),
      unit(8, 15, '今天的会议很短', 'Today’s meeting is short.'),
    ];
    const cues = expectReadable(source, translated(source, 'en', english), { zh: 18, en: 42 });
    expect(
      cues
        .map(({ texts }) => texts[1]!.text)
        .join(' ')
        .replaceAll('\n', ' '),
    ).toBe('Hello everyone, let us begin. Today’s meeting is short.');
  });

  it('a short sentence without a translation does not share the cue of one with', () => {
    const source = segment(0, 'Yes. I agree.');
    const target = translated(source, 'fr', [unit(0, 1, 'Yes.', 'Oui.')]);
    const cues = toCues({ meeting: meeting(), segments: [source] }, wording('both', target));
    expect(cues.map(({ texts }) => texts.map(({ text }) => text))).toEqual([['Yes.', 'Oui.'], ['I agree.']]);
  });

  it('short sentences share a cue, in both languages', () => {
    const source = segment(0, 'Yes. I agree.');
    const target = translated(source, 'fr', [
      unit(0, 1, 'Yes.', 'Oui.'),
      unit(1, 3, 'I agree.', 'D’accord.'),
    ]);
    const cues = toCues({ meeting: meeting(), segments: [source] }, wording('both', target));
    expect(cues.map(({ texts }) => texts.map(({ text }) => text))).toEqual([
      ['Yes. I agree.', 'Oui. D’accord.'],
    ]);
  });
});
