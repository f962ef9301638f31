import type { Language } from '@core/transcript/types.ts';
import type { SourceKind } from '@core/protocol/audio.ts';
import {
  isRecognizer,
  type ModelId,
  type ModelStatus,
  type RecognizerId,
  type RungId,
  type SpeakerModelId,
  type TranslatorId,
} from '@core/protocol/engine.ts';
import type { ErrorCode } from '@core/protocol/errors.ts';
import type { Meeting } from '@core/transcript/meeting.ts';
import { directionOf, isTranslator } from '@core/translation/directions.ts';
import type { TranslationFlaw } from '@core/translation/types.ts';
import { m } from '@src/paraglide/messages.js';
import type { BrowserModel } from '@src/page/browser-translator.ts';
import { getLocale } from '@src/paraglide/runtime.js';

type Snake<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Head}_${Snake<Tail>}`
  : Text;
const snake = <Text extends string>(text: Text) => text.replaceAll('-', '_') as Snake<Text>;

/** What happened, what was kept, what to do. */
export const errorText = (code: ErrorCode): string => m[`error_${snake(code)}`]();

export const sourceText = (kind: SourceKind): string => m[`source_${kind}`]();

/** A language by its own name, as the people who speak it look for it. */
const OWN_NAMES: Record<Language, string> = { en: 'English', es: 'Español', fr: 'Français', zh: '中文' };
export const languageName = (language: Language): string => OWN_NAMES[language];
export const languageTag = (language: Language): string =>
  language === 'zh' ? '中文' : language.toUpperCase();

const MODEL_NAMES: Record<RecognizerId | SpeakerModelId, string> = {
  'whisper-tiny': 'Whisper tiny',
  'whisper-base': 'Whisper base',
  'whisper-small': 'Whisper small',
  'moonshine-tiny': 'Moonshine tiny',
  'pyannote-segmentation-3.0': 'pyannote segmentation 3.0',
  'wespeaker-resnet34-lm': 'WeSpeaker ResNet34',
};
export const recognizerName = (id: RecognizerId): string => MODEL_NAMES[id];

/** A language as the reader calls it. */
export const foreignName = (language: Language): string =>
  new Intl.DisplayNames(getLocale(), { type: 'language' }).of(language) ?? languageName(language);

/** The direction, such as "English → French". */
export function translatorName(id: TranslatorId): string {
  const { from, to } = directionOf(id);
  const name = `${foreignName(from)} → ${foreignName(to)}`;
  return name.charAt(0).toLocaleUpperCase(getLocale()) + name.slice(1);
}

export const modelName = (id: ModelId): string => (isTranslator(id) ? translatorName(id) : MODEL_NAMES[id]);

/** Why something is not translated. */
export function obstacleText(obstacle: 'language' | 'browser' | TranslatorId): string {
  if (obstacle === 'language') return m.obstacle_language();
  return m.obstacle_model({ name: obstacle === 'browser' ? m.browser_translator() : modelName(obstacle) });
}

export const flawText = (flaw: TranslationFlaw): string => m[`flaw_${flaw}`]();

/** Megabytes to download for the models that do not come with the app. */
const DOWNLOAD_MB: Partial<Record<RecognizerId, number>> = {
  'whisper-base': 77,
  'whisper-small': 249,
};

export const recognizerHint = (id: RecognizerId): string => {
  const megabytes = DOWNLOAD_MB[id];
  return m.model_hint({
    about: m[`model_${snake(id)}_about`](),
    availability:
      megabytes === undefined ? m.model_included() : m.model_download({ size: megabytesText(megabytes) }),
  });
};

export const rungText = (rung: RungId): string =>
  rung.startsWith('webgpu') ? m.runs_on_graphics() : m.runs_on_processor();

/** The technical name of a rung, for the health panel. */
const RUNG_NAMES: Record<RungId, string> = {
  'webgpu-fp16': 'WebGPU fp16',
  'webgpu-fp32': 'WebGPU fp32',
  'webgpu-q4': 'WebGPU q4',
  'webgpu-q8': 'WebGPU q8',
  'wasm-threads': 'WebAssembly, threads',
  wasm: 'WebAssembly',
};
export const rungName = (rung: RungId): string => RUNG_NAMES[rung];

/** About: graphs in the precision that runs everywhere, with their vocabulary. */
export const TRANSLATOR_MB = 110;
const SPEAKER_MODEL_MB: Record<SpeakerModelId, number> = {
  'pyannote-segmentation-3.0': 2,
  'wespeaker-resnet34-lm': 27,
};

export const modelHint = (id: ModelId): string => {
  if (isRecognizer(id)) return recognizerHint(id);
  if (!isTranslator(id)) return m.model_download({ size: megabytesText(SPEAKER_MODEL_MB[id]) });
  const { from, to } = directionOf(id);
  const availability = m.model_download({ size: megabytesText(TRANSLATOR_MB) });
  return from === 'en' || to === 'en'
    ? availability
    : m.model_hint({ about: m.translator_direct(), availability });
};

/** A model and what it is doing, such as "Whisper tiny · on your processor". */
export function modelText(status: ModelStatus): string {
  const name = modelName(status.model);
  switch (status.state) {
    case 'ready':
      return status.rung ? `${name} · ${rungText(status.rung)}` : name;
    case 'downloading':
      return m.model_downloading({ name, progress: downloadText(status) });
    case 'testing':
      return m.model_testing({ name });
    case 'loading':
      return m.model_loading({ name });
    case 'failed':
      return m.model_failed({ name });
    case 'absent':
      return m.model_absent({ name });
  }
}

function downloadText({ progress }: ModelStatus): string {
  if (!progress || progress.totalBytes === 0) return '…';
  return percentText(progress.loadedBytes / progress.totalBytes);
}

const percentText = (share: number): string =>
  new Intl.NumberFormat(getLocale(), { style: 'percent' }).format(Math.min(1, share));

/** The browser's translator and what it is doing. */
export function browserModelText(model: BrowserModel | null): string {
  const name = m.browser_translator();
  if (model?.state === 'downloading') {
    const progress = model.progress === null ? '…' : percentText(model.progress);
    return m.model_downloading({ name, progress });
  }
  return model?.state === 'failed' ? m.model_absent({ name }) : name;
}

const unitText = (unit: string, value: number, digits = 0): string =>
  new Intl.NumberFormat(getLocale(), {
    style: 'unit',
    unit,
    unitDisplay: unit === 'byte' ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value);

export const megabytesText = (megabytes: number): string => unitText('megabyte', megabytes);
export const secondsText = (ms: number): string => unitText('second', ms / 1000, 1);
export const wholeSecondsText = (ms: number): string => secondsText(Math.round(ms / 1000) * 1000);

export function bytesText(bytes: number): string {
  if (bytes < 1000) return unitText('byte', bytes);
  if (bytes < 1_000_000) return unitText('kilobyte', bytes / 1000);
  return bytes < 1e9 ? unitText('megabyte', bytes / 1_000_000, 1) : unitText('gigabyte', bytes / 1e9, 1);
}

export const dateText = (atMs: number): string =>
  new Intl.DateTimeFormat(getLocale(), { dateStyle: 'full', timeStyle: 'short' }).format(atMs);
export const shortDateText = (atMs: number): string =>
  new Intl.DateTimeFormat(getLocale(), { dateStyle: 'medium', timeStyle: 'short' }).format(atMs);
export const timeOfDayText = (atMs: number): string =>
  new Intl.DateTimeFormat(getLocale(), { timeStyle: 'medium' }).format(atMs);

export const hourText = (atMs: number): string =>
  new Intl.DateTimeFormat(getLocale(), { timeStyle: 'short' }).format(atMs);

/** Builds are numbered by the time they were made; tests number theirs from 1. */
export const buildText = (build: number): string => (build < 1e12 ? String(build) : shortDateText(build));

/** What a reader calls each source of a meeting: its kind, and a file by its name. */
export function sourceLabeller(meeting: Meeting): (sourceId: string) => string {
  const labels = new Map<string, string>(
    meeting.sources.map(({ sourceId, kind, name }) => [
      sourceId,
      kind === 'file' && name ? name : sourceText(kind),
    ]),
  );
  return (sourceId) => labels.get(sourceId) ?? '';
}

/** The tag of a text in the language it was translated into: models write Chinese in simplified characters. */
export const translationAttribute = (target: Language | null): string | undefined =>
  target === 'zh' ? 'zh-Hans' : (target ?? undefined);

/** The tag of what was said, for fonts and voices; Chinese needs its script, or simplified text may get Japanese glyphs. */
export const languageAttribute = (language: Language | null, meeting: Meeting): string | undefined =>
  language === 'zh'
    ? meeting.settings.chineseScript === 'simplified'
      ? 'zh-Hans'
      : 'zh-Hant'
    : (language ?? undefined);
