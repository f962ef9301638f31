import { describe, expect, it } from 'vitest';
import type { MeetingTranscript } from '@core/transcript/meeting.ts';
import type { Word } from '@core/transcript/types.ts';
import { toCues } from '@src/export/cues.ts';
import { exportTranscript } from '@src/export/formats.ts';
import { clockTime, cueTime } from '@src/export/time.ts';
import type { Wording } from '@src/export/wording.ts';
import { meeting, MICROPHONE, segment, TAB, words } from '../support/segments.ts';

const label = (sourceId: string) => (sourceId === TAB ? 'Tab <1>' : 'Microphone');
/** As for a reader who has chosen no language. */
const untranslated: Wording = { text: 'both', translations: { target: null, of: () => null } };
const written = (transcript: MeetingTranscript, format: 'txt' | 'srt' | 'vtt' | 'json') =>
  exportTranscript(transcript, format, untranslated, label).content;
const cuesOf = (transcript: MeetingTranscript) =>
  toCues(transcript, untranslated).map(({ texts, ...cue }) => ({ ...cue, text: texts[0]!.text }));
const twoSources = meeting({
  sources: [
    { sourceId: MICROPHONE, kind: 'microphone', offsetMs: 0, name: '' },
    { sourceId: TAB, kind: 'tab', offsetMs: 10_000, name: '' },
  ],
});

/** Words of 400 ms each with 100 ms between them, on the source's clock. */
const timed = (text: string, fromMs: number): Word[] =>
  words(text).map((word, index) => ({
    text: word.text,
    startMs: fromMs + index * 500,
    endMs: fromMs + index * 500 + 400,
  }));

describe('times', () => {
  it('are written as each format asks', () => {
    expect(cueTime(3_723_004, ',')).toBe('01:02:03,004');
    expect(cueTime(59_999.6, '.')).toBe('00:01:00.000');
    expect(cueTime(-5, '.')).toBe('00:00:00.000');
    expect(clockTime(187_900)).toBe('3:07');
    expect(clockTime(3_765_000)).toBe('1:02:45');
  });
});

describe('subtitles', () => {
  it('SRT: numbered, in order, with exact times', () => {
    const transcript = {
      meeting: meeting(),
      segments: [segment(1_500, 'Good morning.'), segment(62_000, 'Bye.')],
    };
    expect(written(transcript, 'srt')).toBe(
      '1\r\n00:00:01,500 --> 00:00:03,500\r\nGood morning.\r\n\r\n' +
        '2\r\n00:01:02,000 --> 00:01:04,000\r\nBye.\r\n\r\n',
    );
  });

  it('VTT: markup characters are escaped, the language and the voice are named', () => {
    const transcript = {
      meeting: twoSources,
      segments: [segment(0, 'a < b && c --> d', { sourceId: TAB })],
    };
    expect(written(transcript, 'vtt')).toBe(
      'WEBVTT\n\ntab-1-0-1\n00:00:00.000 --> 00:00:02.000\n' +
        '<v Tab &lt;1&gt;><lang en>a &lt; b &amp;&amp; c --&gt; d</lang></v>\n\n',
    );
  });

  it('VTT cues have each an identifier of their own, and those of one segment begin with its', () => {
    const text = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const segments = [segment(0, text, { endMs: 20_000 }), segment(30_000, text, { endMs: 50_000 })];
    const ids = [...written({ meeting: meeting(), segments }, 'vtt').matchAll(/^(.*)\n[\d:.]+ -->/gm)].map(
      ([, id]) => id!,
    );
    expect(ids.length).toBeGreaterThan(4);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(segments.some((one) => id.startsWith(`${one.id}-`))).toBe(true);
  });

  it('a text cannot pass for a time line in SRT either', () => {
    expect(
      written({ meeting: meeting(), segments: [segment(0, '0 --> 1')] }, 'srt').match(/-->/g),
    ).toHaveLength(1);
  });

  it('a long segment is cut between words, at their times on the meeting’s clock', () => {
    const text = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
    const long = segment(12_000, '', {
      sourceId: TAB,
      endMs: 32_000,
      committed: timed(text, 2_000), // the tab's clock began 10 s into the meeting
    });
    const cues = cuesOf({ meeting: twoSources, segments: [long] });
    expect(cues.map((cue) => cue.text.replaceAll('\n', ' ')).join(' ')).toBe(text);
    expect(cues.length).toBeGreaterThan(2);
    for (const [index, cue] of cues.entries()) {
      const first = Number(/^word(\d+)/.exec(cue.text)?.[1]);
      expect(cue.startMs).toBe(12_000 + first * 500);
      expect(cue.endMs).toBeGreaterThan(cue.startMs);
      expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(7_000);
      if (index > 0) expect(cue.startMs).toBeGreaterThanOrEqual(cues[index - 1]!.endMs);
      for (const line of cue.text.split('\n')) expect(line.length).toBeLessThanOrEqual(50);
    }
  });

  it('without word times a long segment shares out its time, and loses none', () => {
    const text = Array.from({ length: 30 }, () => 'lorem ipsum').join(' ');
    const cues = cuesOf({ meeting: meeting(), segments: [segment(0, text, { endMs: 24_000 })] });
    expect(cues[0]!.startMs).toBe(0);
    expect(cues.at(-1)!.endMs).toBe(24_000);
    for (const [index, cue] of cues.slice(1).entries()) expect(cue.startMs).toBe(cues[index]!.endMs);
  });

  it('Chinese is cut without spaces', () => {
    const characters = Array.from(
      '我们今天讨论的是下一个季度的计划和预算安排以及每个部门的人员变动情况请大家先看第一页的内容',
    );
    const committed = characters.map((text) => ({ text, startMs: null, endMs: null }));
    const cues = cuesOf({
      meeting: meeting(),
      segments: [segment(0, '', { language: 'zh', endMs: 12_000, committed })],
    });
    expect(cues.length).toBeGreaterThan(1);
    expect(cues.map((cue) => cue.text.replaceAll('\n', '')).join('')).toBe(characters.join(''));
    for (const cue of cues)
      for (const line of cue.text.split('\n')) expect(line.length).toBeLessThanOrEqual(18);
  });
});

describe('text and data', () => {
  const transcript = {
    meeting: twoSources,
    segments: [segment(0, 'Hello.'), segment(65_000, 'Hi there.', { sourceId: TAB })],
  };

  it('TXT: one line each, with time, and source where there are two', () => {
    expect(written(transcript, 'txt')).toBe('[0:00] Microphone: Hello.\n[1:05] Tab <1>: Hi there.\n');
    expect(written({ ...transcript, meeting: meeting() }, 'txt')).toContain('[0:00] Hello.\n');
  });

  it('JSON: keeps ids, times, languages and words', () => {
    const document = JSON.parse(written(transcript, 'json')) as {
      version: number;
      meeting: { id: string };
      segments: Record<string, unknown>[];
    };
    expect(document).toMatchObject({
      format: 'unisono-transcript',
      version: 1,
      meeting: { id: 'session-1' },
    });
    expect(document.segments[1]).toMatchObject({
      id: 'tab-1-1040000',
      startMs: 65_000,
      language: 'en',
      text: 'Hi there.',
      words: [{ text: 'Hi' }, { text: ' there.' }],
    });
  });

  it('JSON: says which words were recovered after an interruption', () => {
    const segments = [segment(0, 'Heard.'), segment(5_000, 'Recovered.', { recovered: true })];
    const document = JSON.parse(written({ ...transcript, segments }, 'json')) as {
      segments: { recovered?: boolean }[];
    };
    expect(document.segments.map(({ recovered }) => recovered)).toEqual([undefined, true]);
  });

  it('files are named after the start of the meeting', () => {
    expect(exportTranscript(transcript, 'vtt', untranslated, label).name).toBe('unisono-2026-03-01-0930.vtt');
  });
});
