/** One figure of a bench. The runner prints ours, the peer's and ours / peer. */
export interface BenchRow {
  /** What was measured on what, such as `en/jfk.wav · whisper-tiny · word error rate`. */
  readonly what: string;
  /** Unit of both figures: `ms`, `%`, `s`, `blocks/s`, … */
  readonly unit: string;
  readonly ours: number | null;
  /** The same figure of the peer, measured in the same browser and run; left out where there is none. */
  readonly peer?: number | null;
  /** A goal in words, such as `≤ 1.1 × peer`, and whether it was met. */
  readonly goal?: string;
  readonly met?: boolean;
}

export interface BenchResult {
  /** What `peer` means in every row, such as `@ricky0123/vad-web 0.0.31 NonRealTimeVAD`. */
  readonly peer: string;
  readonly rows: readonly BenchRow[];
  /** Sentences a reader of the figures needs: what was counted, what was left out and why. */
  readonly notes?: readonly string[];
}

export interface BenchContext {
  /** URL folder where `../shared` is served, with a slash at its end; null where there is none. */
  readonly sharedUrl: string | null;
  /** `--name=value` arguments of the command line, without the dashes. */
  readonly options: Readonly<Record<string, string>>;
  /** Prints a line in the terminal at once: long benches say where they are. */
  log(line: string): void;
}

/** What every `bench/<name>.bench.ts` exports as `run`. It runs on the page's main thread. */
export type Bench = (context: BenchContext) => Promise<BenchResult>;
