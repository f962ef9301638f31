import { toUnisonoError, type ErrorCode, type UnisonoError } from '@core/protocol/errors.ts';
import type { ModelId, RungId, SelfTestResult } from '@core/protocol/engine.ts';
import type { HealthLog } from './health.ts';
import { describeCandidate, type Candidate } from './ladder.ts';
import type { LoadedModel, RuntimePool } from './runtime.ts';
import type { TestedCandidate } from './self-test-memory.ts';

/** The trouble is with the weights, not with the rung. */
const WEIGHT_ERRORS: readonly ErrorCode[] = [
  'model-unknown',
  'model-download-failed',
  'model-missing-offline',
  'model-corrupt',
  'storage-full',
  'storage-failed',
];

export interface SelfTestEffects {
  readonly pool: RuntimePool;
  readonly health: HealthLog;
  /** Names the weight files a rung needs: rungs with the same name share them. */
  weights(model: ModelId, rung: RungId): string;
  /** Called before a model is loaded on the candidate. */
  makeRoom(model: ModelId, candidate: Candidate): Promise<void>;
}

export interface SelfTestOutcome {
  readonly tested: readonly TestedCandidate[];
  /** The fastest right candidate, loaded; the others have been unloaded and their workers ended. */
  readonly winner: LoadedModel | null;
  /** Set when weights could not be had: then the outcome is not worth remembering. */
  readonly weightError: UnisonoError | null;
}

/** Loads a model on a candidate. @throws UnisonoError; then nothing stays loaded. */
export async function loadCandidate(
  effects: SelfTestEffects,
  model: ModelId,
  candidate: Candidate,
): Promise<LoadedModel> {
  await effects.makeRoom(model, candidate);
  const runtime = effects.pool.get(candidate);
  try {
    const { loadMs, sessionsCreated, bytes } = await runtime.load(model, candidate.rung);
    const where = describeCandidate(candidate);
    effects.health.add(
      'info',
      'model',
      'model-loaded',
      `${model} on ${where}: ${sessionsCreated} sessions in ${Math.round(loadMs)} ms`,
    );
    return { model, candidate, runtime, loadMs, bytes };
  } catch (error) {
    await releaseModel({ model, runtime });
    throw toUnisonoError(error, 'model-failed');
  }
}

export async function releaseModel(loaded: Pick<LoadedModel, 'model' | 'runtime'> | null): Promise<void> {
  await loaded?.runtime.unload(loaded.model).catch(() => undefined);
}

/**
 * Runs what is known through the candidates, one after another. Once one is right, those
 * that would need other weights are left out: nobody downloads a model twice to save milliseconds.
 * Never rejects.
 */
export async function testCandidates(
  effects: SelfTestEffects,
  model: ModelId,
  candidates: readonly Candidate[],
  onResult: (results: readonly SelfTestResult[]) => void,
): Promise<SelfTestOutcome> {
  const tested: TestedCandidate[] = [];
  let weightError: UnisonoError | null = null;
  let winner: LoadedModel | null = null;
  let winnerMs = Infinity;
  const fetched = new Set<string>();
  for (const candidate of candidates) {
    const weights = effects.weights(model, candidate.rung);
    if (winner && !fetched.has(weights)) {
      tested.push({ candidate, result: notNeeded(candidate, winner.candidate) });
      continue;
    }
    fetched.add(weights);
    const { loaded, result, error } = await testCandidate(effects, model, candidate);
    tested.push({ candidate, result });
    onResult(tested.map((one) => one.result));
    if (error && WEIGHT_ERRORS.includes(error.code)) weightError = error;
    const faster = loaded !== null && (result.decodeMs ?? Infinity) < winnerMs;
    await releaseModel(faster ? winner : loaded);
    if (faster) [winner, winnerMs] = [loaded, result.decodeMs ?? Infinity];
  }
  return { tested, winner: winner?.runtime.alive ? winner : null, weightError };
}

const notNeeded = (candidate: Candidate, winner: Candidate): SelfTestResult => ({
  rung: candidate.rung,
  outcome: 'skipped',
  note: `not needed: ${describeCandidate(winner)} reads right`,
  decodeMs: null,
  loadMs: null,
});

/** Loads one candidate and runs what is known through it. Never rejects; only a right one stays loaded. */
export async function testCandidate(
  effects: SelfTestEffects,
  model: ModelId,
  candidate: Candidate,
): Promise<{ loaded: LoadedModel | null; result: SelfTestResult; error: UnisonoError | null }> {
  const where = describeCandidate(candidate);
  const threads = candidate.rung === 'wasm-threads' ? { threads: candidate.threads } : {};
  let loaded: LoadedModel | null = null;
  try {
    loaded = await loadCandidate(effects, model, candidate);
    const { loadMs } = loaded;
    const { text, right, decodeMs } = await loaded.runtime.selfTest(model);
    const result = { rung: candidate.rung, note: text, decodeMs, loadMs, ...threads };
    if (right) return { loaded, result: { ...result, outcome: 'right' }, error: null };
    await releaseModel(loaded);
    effects.health.add(
      'warning',
      'model',
      'model-wrong-answer',
      `${model} gave a wrong answer to what is known on ${where}.`,
    );
    return { loaded: null, result: { ...result, outcome: 'wrong' }, error: null };
  } catch (thrown) {
    const error = toUnisonoError(thrown, 'model-failed');
    await releaseModel(loaded);
    effects.health.add(
      'warning',
      'model',
      error.code,
      `${model} failed its self-test on ${where}: ${error.message}`,
    );
    const result = {
      rung: candidate.rung,
      note: error.message,
      decodeMs: null,
      loadMs: loaded?.loadMs ?? null,
      ...threads,
    };
    return { loaded: null, result: { ...result, outcome: 'failed' }, error };
  }
}
