/**
 * Every failure a person may meet. The code is stable and is what the UI translates
 * (`error_<code with _>` in messages/); `message` is plain English for logs and for callers.
 */
export const ERROR_CODES = [
  'microphone-denied',
  'microphone-missing',
  'microphone-busy',
  'microphone-unplugged',
  'microphone-muted',
  'share-denied',
  'share-without-audio',
  'share-ended',
  'audio-suspended',
  'capture-unsupported',
  'file-not-audio',
  'file-truncated',
  'file-unsupported-codec',
  'vad-degraded',
  'model-unknown',
  'model-download-failed',
  'model-missing-offline',
  'model-corrupt',
  'model-failed',
  'model-wrong-answer',
  /** The browser's own translator has to fetch a model, which a page may ask for after a press only. */
  'browser-translator-press',
  'browser-translator-failed',
  /** It does not know the direction. */
  'browser-translator-unavailable',
  'gpu-lost',
  'out-of-memory',
  'engine-lost',
  /** The engine changed its owner while a call was under way: `detail.mayHaveRun` is 'yes' or 'no'. */
  'engine-changed',
  /** A call had no answer within its time. */
  'deadline',
  /** Another tab runs a build that speaks another protocol. */
  'other-protocol',
  'storage-low',
  'storage-full',
  'storage-failed',
  'link-invalid',
  'aborted',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What crosses threads instead of an Error: structured clone drops custom fields. */
export interface WireError {
  readonly unisono: true;
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: Readonly<Record<string, string>>;
  readonly cause?: string;
}

/** The one error class that crosses module boundaries. */
export class UnisonoError extends Error {
  readonly code: ErrorCode;
  /** Values for the translated message, such as a file name; never transcript text. */
  readonly detail: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; detail?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UnisonoError';
    this.code = code;
    this.detail = options.detail ?? {};
  }
}

const describe = (cause: unknown): string =>
  cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);

/** The browser had no room to store something. */
export const isDiskFull = (thrown: unknown): boolean =>
  thrown instanceof DOMException && thrown.name === 'QuotaExceededError';

/** Any thrown value as a {@link UnisonoError}; aborts keep their own code. */
export function toUnisonoError(thrown: unknown, fallback: ErrorCode = 'internal'): UnisonoError {
  if (thrown instanceof UnisonoError) return thrown;
  if (isWireError(thrown)) return fromWire(thrown);
  const aborted = thrown instanceof DOMException && thrown.name === 'AbortError';
  return new UnisonoError(aborted ? 'aborted' : fallback, describe(thrown), { cause: thrown });
}

export function toWire(thrown: unknown): WireError {
  const { code, message, detail, cause } = toUnisonoError(thrown);
  return { unisono: true, code, message, detail, ...(cause === undefined ? {} : { cause: describe(cause) }) };
}

export function fromWire(wire: WireError): UnisonoError {
  return new UnisonoError(wire.code, wire.message, { cause: wire.cause, detail: wire.detail });
}

export const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' && value !== null && 'unisono' in value && 'code' in value;
