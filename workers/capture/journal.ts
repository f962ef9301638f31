import { BLOCK_SAMPLES, SAMPLE_RATE_HZ } from '@core/protocol/audio.ts';
import type { JournalKind } from '@core/protocol/capture.ts';
import { isDiskFull, UnisonoError } from '@core/protocol/errors.ts';

const BYTES_PER_SAMPLE = 2;
const FLUSH_MS = 1000;

/** What is kept in memory is kept, and given up, in pieces of 4 s. */
const PIECE_SAMPLES = 4 * SAMPLE_RATE_HZ;

/** Of the file that this worker alone has open. */
export type JournalFile = Pick<FileSystemSyncAccessHandle, 'read' | 'write' | 'getSize' | 'flush' | 'close'>;

function encode(from: Float32Array, to: Int16Array): void {
  for (let i = 0; i < from.length; i++) {
    const value = Math.round((from[i] ?? 0) * 0x8000);
    to[i] = Math.max(-0x8000, Math.min(0x7fff, value));
  }
}

/** Samples from `first` on, the oldest of which can be given up. */
class MemorySamples {
  readonly #pieces: Int16Array[] = [];
  #first: number;
  #end: number;
  #spare: Int16Array | undefined;

  constructor(first: number) {
    this.#first = first;
    this.#end = first;
  }

  get end(): number {
    return this.#end;
  }

  append(samples: Int16Array): void {
    for (let done = 0; done < samples.length;) {
      const at = (this.#end - this.#first) % PIECE_SAMPLES;
      if (this.#end - this.#first === this.#pieces.length * PIECE_SAMPLES) {
        this.#pieces.push(this.#spare ?? new Int16Array(PIECE_SAMPLES));
        this.#spare = undefined;
      }
      const taken = samples.subarray(done, done + PIECE_SAMPLES - at);
      this.#pieces.at(-1)?.set(taken, at);
      done += taken.length;
      this.#end += taken.length;
    }
  }

  /** Samples [start, end); those given up are zeros. */
  read(start: number, end: number): Int16Array {
    const read = new Int16Array(end - start);
    for (let at = Math.max(start, this.#first); at < end;) {
      const inPiece = (at - this.#first) % PIECE_SAMPLES;
      const piece = this.#pieces[Math.floor((at - this.#first) / PIECE_SAMPLES)];
      const part = piece?.subarray(inPiece, inPiece + Math.min(end - at, PIECE_SAMPLES - inPiece));
      if (!part) break;
      read.set(part, at - start);
      at += part.length;
    }
    return read;
  }

  release(upTo: number): void {
    while (this.#first + PIECE_SAMPLES <= Math.min(upTo, this.#end)) {
      this.#spare = this.#pieces.shift();
      this.#first += PIECE_SAMPLES;
    }
  }
}

export interface JournalParts {
  /** Null where there is no disk to be had. */
  readonly file: JournalFile | null;
  now(): number;
  /** Once: the disk takes no more, memory is used. */
  onFull(error: UnisonoError): void;
}

/**
 * All that was recorded of one source, on disk as 16-bit samples, so that no word depends on an engine or on this tab living on.
 * Where the disk takes no more it goes on in memory. Used by the capture worker only; writes and reads at once.
 */
export class Journal {
  readonly #parts: JournalParts;
  /** One block on its way to the disk, used again and again. */
  readonly #block = new Int16Array(BLOCK_SAMPLES);
  readonly #at = { at: 0 };
  #file: JournalFile | null;
  /** Samples in the file. */
  #onDisk: number;
  /** What follows them, once the disk takes no more. */
  #tail: MemorySamples | null = null;
  #flushedAtMs: number;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#file = parts.file;
    this.#onDisk = Math.floor((parts.file?.getSize() ?? 0) / BYTES_PER_SAMPLE);
    if (!parts.file) this.#tail = new MemorySamples(0);
    this.#flushedAtMs = parts.now();
  }

  get kind(): JournalKind {
    return this.#file ? 'opfs' : 'memory';
  }

  /** Samples recorded. */
  get samples(): number {
    return this.#tail?.end ?? this.#onDisk;
  }

  /** Samples that outlive this worker. */
  get samplesOnDisk(): number {
    return this.#onDisk;
  }

  append(samples: Float32Array): void {
    for (let done = 0; done < samples.length; done += BLOCK_SAMPLES) {
      const whole = done === 0 && samples.length <= BLOCK_SAMPLES;
      this.#append(whole ? samples : samples.subarray(done, done + BLOCK_SAMPLES));
    }
  }

  #append(samples: Float32Array): void {
    const block = samples.length === BLOCK_SAMPLES ? this.#block : this.#block.subarray(0, samples.length);
    encode(samples, block);
    if (!this.#tail && this.#write(block)) return;
    this.#tail?.append(block);
  }

  #write(block: Int16Array): boolean {
    try {
      this.#at.at = this.#onDisk * BYTES_PER_SAMPLE;
      if (this.#file?.write(block, this.#at) !== block.byteLength)
        throw new DOMException('The disk took only a part.', 'QuotaExceededError');
      this.#onDisk += block.length;
    } catch (thrown) {
      this.#goOnInMemory(thrown);
      return false;
    }
    if (this.#parts.now() - this.#flushedAtMs >= FLUSH_MS) this.flush();
    return true;
  }

  #goOnInMemory(cause: unknown): void {
    if (this.#tail) return;
    this.#tail = new MemorySamples(this.#onDisk);
    this.#parts.onFull(
      new UnisonoError(
        isDiskFull(cause) ? 'storage-full' : 'storage-failed',
        'There is no room left on this device for the recording. It goes on in memory: keep this tab open, and free some space.',
        { cause },
      ),
    );
  }

  /** Samples [start, end); zeros for what was released. */
  read(start: number, end: number): Float32Array<ArrayBuffer> {
    const samples = new Float32Array(end - start);
    const fromDisk = Math.max(0, Math.min(end, this.#onDisk) - start);
    if (fromDisk > 0) {
      const bytes = new Int16Array(fromDisk);
      this.#file?.read(bytes, { at: start * BYTES_PER_SAMPLE });
      for (let i = 0; i < fromDisk; i++) samples[i] = (bytes[i] ?? 0) / 0x8000;
    }
    if (this.#tail && start + fromDisk < end) {
      const rest = this.#tail.read(start + fromDisk, end);
      for (let i = 0; i < rest.length; i++) samples[fromDisk + i] = (rest[i] ?? 0) / 0x8000;
    }
    return samples;
  }

  /** Everything before `upTo` is stored as text: memory need not hold it any longer. */
  release(upTo: number): void {
    this.#tail?.release(upTo);
  }

  flush(): void {
    this.#flushedAtMs = this.#parts.now();
    try {
      this.#file?.flush();
    } catch (thrown) {
      this.#goOnInMemory(thrown);
    }
  }

  /** What was on disk stays there. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}
