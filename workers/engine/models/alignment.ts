/**
 * Token times from cross-attention, as OpenAI's Whisper does it (whisper/timing.py): normalise each
 * head over the tokens, median-filter along time, average the heads, and follow the cheapest
 * monotonic path through tokens × frames (dynamic time warping).
 */

const MEDIAN_WIDTH = 7;

/** Subtracts each frame's mean over the rows and divides by its deviation, in place. */
function normalizeFrames(weights: Float32Array, rows: number, frames: number): void {
  for (let frame = 0; frame < frames; frame += 1) {
    let sum = 0;
    let squares = 0;
    for (let at = frame; at < rows * frames; at += frames) {
      const weight = weights[at] ?? 0;
      sum += weight;
      squares += weight * weight;
    }
    const mean = sum / rows;
    const deviation = Math.sqrt(Math.max(0, squares / rows - mean * mean)) || 1;
    for (let at = frame; at < rows * frames; at += frames)
      weights[at] = ((weights[at] ?? 0) - mean) / deviation;
  }
}

/** Running median along one row; the ends are mirrored. */
function medianFiltered(row: Float32Array): Float32Array {
  const half = (MEDIAN_WIDTH - 1) / 2;
  const last = row.length - 1;
  if (last < half) return row;
  const mirrored = (index: number) => row[index < 0 ? -index : index > last ? 2 * last - index : index] ?? 0;
  const window = new Float32Array(MEDIAN_WIDTH);
  return row.map((_, index) => {
    for (let offset = -half; offset <= half; offset += 1) window[offset + half] = mirrored(index + offset);
    window.sort();
    return window[half] ?? 0;
  });
}

/**
 * The frame at which the cheapest path enters each row.
 *
 * @param cost `rows` × `frames`, row-major
 */
export function warp(cost: Float32Array, rows: number, frames: number): number[] {
  const width = frames + 1;
  const total = new Float32Array((rows + 1) * width).fill(Infinity);
  const trace = new Uint8Array((rows + 1) * width); // 0 diagonal, 1 next row, 2 next frame
  total[0] = 0;
  for (let row = 1; row <= rows; row += 1) {
    for (let frame = 1; frame <= frames; frame += 1) {
      const at = row * width + frame;
      const diagonal = total[at - width - 1] ?? Infinity;
      const nextRow = total[at - width] ?? Infinity;
      const nextFrame = total[at - 1] ?? Infinity;
      const step = diagonal < nextRow && diagonal < nextFrame ? 0 : nextRow < nextFrame ? 1 : 2;
      trace[at] = step;
      total[at] = (cost[(row - 1) * frames + frame - 1] ?? 0) + [diagonal, nextRow, nextFrame][step]!;
    }
  }
  const starts = new Array<number>(rows).fill(0);
  let row = rows;
  let frame = frames;
  while (row > 0 && frame > 0) {
    starts[row - 1] = frame - 1;
    const step = trace[row * width + frame];
    if (step !== 2) row -= 1;
    if (step !== 1) frame -= 1;
  }
  return starts;
}

/**
 * Frame (20 ms in Whisper) at which each row from `firstRow` on begins. With the prompt's last
 * token as `firstRow`, entry k is where generated token k begins and the last entry where the
 * text ends.
 *
 * @param heads weights of the model's alignment heads, each `rows` × `frames`, row-major, row r being
 *   what the model attended to when it read token r; their content is overwritten
 */
export function alignedFrames(
  heads: readonly Float32Array[],
  rows: number,
  frames: number,
  firstRow: number,
): number[] {
  const kept = rows - firstRow;
  const cost = new Float32Array(kept * frames);
  for (const weights of heads) {
    normalizeFrames(weights, rows, frames);
    for (let row = 0; row < kept; row += 1) {
      const start = (row + firstRow) * frames;
      const smooth = medianFiltered(weights.subarray(start, start + frames));
      for (let frame = 0; frame < frames; frame += 1) {
        cost[row * frames + frame] = (cost[row * frames + frame] ?? 0) - (smooth[frame] ?? 0) / heads.length;
      }
    }
  }
  return warp(cost, kept, frames);
}
