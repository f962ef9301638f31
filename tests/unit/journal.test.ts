import { describe, expect, it } from 'vitest';
import type { UnisonoError } from '../../src/core/protocol/errors.ts';
import { Journal, type JournalFile } from '../../workers/capture/journal.ts';
import { StorageGuard } from '../../workers/capture/storage-guard.ts';

const ramp = (start: number, end: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: end - start }, (_, i) => (((start + i) % 60_000) - 30_000) / 0x8000);

/** A file that takes `capacity` bytes, then what a full disk does. */
class FakeFile implements JournalFile {
  readonly bytes = new Uint8Array(4_000_000);
  size = 0;
  flushes = 0;
  capacity: number;

  constructor(capacity = Infinity) {
    this.capacity = capacity;
  }

  getSize(): number {
    return this.size;
  }

  write(data: AllowSharedBufferSource, { at = 0 }: FileSystemReadWriteOptions = {}): number {
    if (at + data.byteLength > this.capacity) throw new DOMException('full', 'QuotaExceededError');
    const view = data as Int16Array;
    this.bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), at);
    this.size = Math.max(this.size, at + data.byteLength);
    return data.byteLength;
  }

  read(data: AllowSharedBufferSource, { at = 0 }: FileSystemReadWriteOptions = {}): number {
    const view = data as Int16Array;
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(
      this.bytes.subarray(at, at + data.byteLength),
    );
    return data.byteLength;
  }

  flush(): void {
    this.flushes++;
  }

  close(): void {
    this.size = -1;
  }
}

function open(file: JournalFile | null) {
  const full: UnisonoError[] = [];
  const time = { nowMs: 0 };
  const journal = new Journal({ file, now: () => time.nowMs, onFull: (error) => full.push(error) });
  let written = 0;
  const record = (samples: number) => {
    for (const end = written + samples; written < end;) {
      const next = Math.min(end, written + 512);
      journal.append(ramp(written, next));
      written = next;
    }
  };
  return { journal, record, full, time };
}

describe('journal', () => {
  it.each(['disk', 'memory'])('gives back from %s what was recorded, from any place', (where) => {
    const { journal, record } = open(where === 'disk' ? new FakeFile() : null);
    record(200_000 + 77);
    expect(journal.samples).toBe(200_077);
    for (const [start, end] of [
      [0, 512],
      [63_990, 64_010],
      [1000, 199_999],
      [200_000, 200_077],
    ] as const)
      expect(journal.read(start, end)).toEqual(ramp(start, end));
  });

  it('keeps the loudest sample as loud, and does not wrap it round', () => {
    const { journal } = open(new FakeFile());
    journal.append(Float32Array.of(1, -1, 1.5, -1.5, 0));
    expect([...journal.read(0, 5)]).toEqual([0x7fff / 0x8000, -1, 0x7fff / 0x8000, -1, 0]);
  });

  it('is on the disk once a second, so that a crash takes no more', () => {
    const file = new FakeFile();
    const { record, time } = open(file);
    for (let ms = 0; ms < 10_000; ms += 32) {
      time.nowMs = ms;
      record(512);
    }
    expect(file.flushes).toBe(9);
  });

  it('goes on in memory when the disk is full, says so once, and loses nothing', () => {
    const file = new FakeFile(100_000);
    const { journal, record, full } = open(file);
    record(150_000);
    expect(full.map(({ code }) => code)).toEqual(['storage-full']);
    expect(journal.samples).toBe(150_000);
    expect(journal.samplesOnDisk).toBeLessThan(50_001);
    expect(journal.read(0, 150_000)).toEqual(ramp(0, 150_000));
  });

  it('takes a write that was cut short for a full disk', () => {
    const file = new FakeFile();
    const { journal, record, full } = open(file);
    record(1024);
    file.write = () => 100;
    record(1024);
    expect(full).toHaveLength(1);
    expect(journal.read(0, 2048)).toEqual(ramp(0, 2048));
  });

  it.each(['disk', 'memory'])('gives up of its memory what is stored as text (%s)', (where) => {
    const { journal, record } = open(where === 'disk' ? new FakeFile(64_000) : null);
    record(500_000);
    journal.release(300_000);
    expect(journal.read(300_000, 500_000)).toEqual(ramp(300_000, 500_000));
    expect(journal.read(40_000, 60_000)).toEqual(new Float32Array(20_000));
    record(300_000);
    expect(journal.read(300_000, 800_000)).toEqual(ramp(300_000, 800_000));
  });

  it('goes on from what another worker left', () => {
    const file = new FakeFile();
    open(file).record(1000);
    const { journal } = open(file);
    expect(journal.samples).toBe(1000);
    expect(journal.read(0, 1000)).toEqual(ramp(0, 1000));
  });
});

describe('storage guard', () => {
  async function guard(...freeMegabytes: readonly number[]) {
    const warnings: UnisonoError[] = [];
    let look: () => void = () => undefined;
    const left = [...freeMegabytes];
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    new StorageGuard({
      clock: {
        now: () => 0,
        after: (_, run) => {
          look = run;
          return () => undefined;
        },
      },
      estimate: () => Promise.resolve({ quota: 1e12 + (left.shift() ?? 0) * 1e6, usage: 1e12 }),
      sources: () => 2,
      warn: (error) => warnings.push(error),
    });
    await settle();
    while (left.length > 0) {
      look();
      await settle();
    }
    return warnings;
  }

  it('warns once when little room is left, and again after there was room in between', async () => {
    expect(await guard(500, 300, 201)).toEqual([]);
    const warnings = await guard(500, 190, 150, 100, 400, 96);
    expect(warnings.map(({ code, detail }) => [code, detail.minutes])).toEqual([
      ['storage-low', '49'],
      ['storage-low', '25'],
    ]);
  });
});
