import type { RungId, SelfTestResult } from '@core/protocol/engine.ts';

/** What this browser offers to models. */
export interface DeviceFacts {
  /** Null where the browser has no WebGPU or no adapter answers. */
  readonly webgpu: {
    readonly shaderF16: boolean;
    readonly software: boolean;
    readonly name: string;
    /** Size of the largest buffer. */
    readonly maxBufferBytes: number;
  } | null;
  /** Threads in WebAssembly need a cross-origin isolated page. */
  readonly crossOriginIsolated: boolean;
  readonly cores: number;
  /** Rounded by the browser to at most 8; null where it does not tell. */
  readonly memoryGiB: number | null;
}

/** One way to run a model: a rung with the thread count it is tried at. */
export interface Candidate {
  readonly rung: RungId;
  readonly device: 'wasm' | 'webgpu';
  /** Threads of the WASM backend. */
  readonly threads: number;
}

export interface Ladder {
  /** First to last: where one fails, the later ones are left. */
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly SelfTestResult[];
}

const WEBGPU_RUNGS = ['webgpu-fp16', 'webgpu-fp32', 'webgpu-q4', 'webgpu-q8'] as const;

/** More threads than this brought nothing for models this small and take cores from the page. */
const MAX_THREADS = 8;

/**
 * The candidates for a model on this device, best first.
 * @param available rungs for which the model's weights can be had
 */
export function ladder(facts: DeviceFacts, available: readonly RungId[]): Ladder {
  const candidates: Candidate[] = [];
  const skipped: SelfTestResult[] = [];
  const skip = (rung: RungId, note: string): void => {
    skipped.push({ rung, outcome: 'skipped', note, decodeMs: null, loadMs: null });
  };
  for (const rung of WEBGPU_RUNGS) {
    if (!available.includes(rung)) skip(rung, 'no weights for it');
    else if (!facts.webgpu) skip(rung, 'no WebGPU adapter');
    else if (facts.webgpu.software) skip(rung, `software adapter (${facts.webgpu.name})`);
    else if (rung === 'webgpu-fp16' && !facts.webgpu.shaderF16) skip(rung, 'adapter without shader-f16');
    else candidates.push({ rung, device: 'webgpu', threads: 1 });
  }
  if (!available.includes('wasm-threads')) skip('wasm-threads', 'no weights for it');
  else if (!facts.crossOriginIsolated) skip('wasm-threads', 'page is not cross-origin isolated');
  else if (facts.cores < 2) skip('wasm-threads', 'one core');
  else {
    for (const threads of threadCounts(facts.cores))
      candidates.push({ rung: 'wasm-threads', device: 'wasm', threads });
  }
  if (available.includes('wasm')) candidates.push({ rung: 'wasm', device: 'wasm', threads: 1 });
  else skip('wasm', 'no weights for it');
  return { candidates, skipped };
}

/**
 * Thread counts worth measuring. Browsers report logical cores; half of them are physical on most
 * machines, and more threads than physical cores are often slower.
 */
export function threadCounts(cores: number): readonly number[] {
  const counts = [Math.min(cores, 4), Math.min(Math.floor(cores / 2), MAX_THREADS)];
  return [...new Set(counts)].filter((count) => count > 1);
}

export const candidateKey = ({ rung, threads }: Candidate): string => `${rung}/${threads}`;

export const describeCandidate = ({ rung, threads }: Candidate): string =>
  rung === 'wasm-threads' ? `${rung} (${threads})` : rung;
