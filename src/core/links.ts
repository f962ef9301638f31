import * as v from 'valibot';
import { RECOGNIZER_IDS, type RecognizerId } from './protocol/engine.ts';
import { LANGUAGES, type Language } from './transcript/types.ts';

/** What a link such as `/?action=record&source=mic&language=en&asr=whisper-tiny` asks for. */
export interface LinkRequest {
  readonly action: 'record';
  /** Absent: what the user chose last. */
  readonly source?: 'mic' | 'tab' | 'both';
  readonly language?: Language | 'auto';
  readonly asr?: RecognizerId | 'auto';
}

/** A parameter that is not understood: which, what it said, and what it may say. */
export interface LinkProblem {
  readonly parameter: string;
  readonly value: string;
  readonly allowed: readonly string[];
}

export interface ParsedLink {
  /** Null when the link starts nothing or asks for something unknown. */
  readonly request: LinkRequest | null;
  /** What to read in, also where nothing is started; `none`: as it is said; null: what was chosen last. */
  readonly target: Language | 'none' | null;
  readonly problems: readonly LinkProblem[];
}

const PARAMETERS = {
  action: v.optional(v.picklist(['record'])),
  source: v.optional(v.picklist(['mic', 'tab', 'both'])),
  language: v.optional(v.picklist(['auto', ...LANGUAGES])),
  asr: v.optional(v.picklist(['auto', ...RECOGNIZER_IDS])),
  target: v.optional(v.picklist(['none', ...LANGUAGES])),
};

const LinkSchema = v.object(PARAMETERS);

/**
 * Reads the query of the page's address. Parameters of other names are left alone (a campaign tag must not
 * stop a recording); a known parameter with an unknown value is a problem, and then nothing starts.
 *
 * @param query `location.search`, with or without its question mark
 */
export function parseLink(query: string): ParsedLink {
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const parsed = v.safeParse(LinkSchema, parameters);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue): LinkProblem => {
      const parameter = v.getDotPath(issue) ?? '';
      const allowed = PARAMETERS[parameter as keyof typeof PARAMETERS].wrapped.options;
      return { parameter, value: String(issue.input), allowed };
    });
    return { request: null, target: null, problems };
  }
  const { action, source, language, asr, target = null } = parsed.output;
  if (!action) return { request: null, target, problems: [] };
  return {
    target,
    request: { action, ...(source && { source }), ...(language && { language }), ...(asr && { asr }) },
    problems: [],
  };
}
