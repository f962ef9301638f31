import { describe, expect, test } from 'vitest';
import { deferred } from '@core/util/deferred.ts';
import { Scheduler, type Priority } from '@workers/engine/scheduler.ts';

/** Jobs that run until told otherwise; `started` is the order in which they began. */
function bench(scheduler = new Scheduler()) {
  const started: string[] = [];
  const running = new Map<string, { end: () => void; signal: AbortSignal }>();
  const submit = (
    name: string,
    priority: Priority,
    {
      lane = 'gpu',
      session = 'a',
      signal = new AbortController().signal,
    }: { lane?: string; session?: string; signal?: AbortSignal } = {},
  ) => {
    const ticket = scheduler.submit(
      {
        lane,
        session,
        priority,
        run: async (stop) => {
          started.push(name);
          const { promise, resolve, reject } = deferred<void>();
          running.set(name, { end: () => (stop.aborted ? reject(stop.reason) : resolve()), signal: stop });
          await promise;
          return name;
        },
      },
      signal,
    );
    ticket.result.catch(() => undefined);
    return ticket;
  };
  const end = async (name: string): Promise<void> => {
    running.get(name)!.end();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { submit, end, started, running, scheduler };
}

describe('scheduler', () => {
  test('finals go before partials, partials before everything else, first come first served', async () => {
    const { submit, end, started } = bench();
    submit('now', 'final');
    submit('file', 'background');
    submit('voice', 'embedding');
    submit('translation', 'translation');
    submit('partial', 'partial');
    submit('final 1', 'final');
    submit('final 2', 'final');
    for (const name of ['now', 'final 1', 'final 2', 'partial', 'translation', 'voice']) await end(name);
    expect(started).toEqual(['now', 'final 1', 'final 2', 'partial', 'translation', 'voice', 'file']);
  });

  test('a final stops a running partial, which is dropped once the runtime is free', async () => {
    const { submit, end, started, running } = bench();
    const partial = submit('partial', 'partial');
    submit('final', 'final');
    expect(running.get('partial')!.signal.aborted).toBe(true);
    expect(started).toEqual(['partial']);
    await end('partial');
    expect(started).toEqual(['partial', 'final']);
    await expect(partial.result).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a file’s utterance gives way to live speech and is decoded afterwards', async () => {
    const { submit, end, started } = bench();
    const file = submit('file', 'background');
    submit('final', 'final');
    await end('file');
    await end('final');
    expect(started).toEqual(['file', 'final', 'file']);
    await end('file');
    await expect(file.result).resolves.toBe('file');
  });

  test('a sentence’s translation gives way to what is being said and comes after it, before any backlog', async () => {
    const { submit, end, started } = bench();
    const sentence = submit('sentence', 'translation');
    const backlog = submit('backlog', 'background');
    submit('final', 'final');
    await end('sentence');
    for (const name of ['final', 'sentence', 'backlog']) await end(name);
    expect(started).toEqual(['sentence', 'final', 'sentence', 'backlog']);
    await expect(sentence.result).resolves.toBe('sentence');
    await expect(backlog.result).resolves.toBe('backlog');
  });

  test('what is being said is shown before a backlog goes on, which comes to its end all the same', async () => {
    const { submit, end, started, running } = bench();
    const backlog = submit('backlog', 'background');
    for (const name of ['1st', '2nd', '3rd']) {
      submit(name, 'partial');
      expect(running.get('backlog')!.signal.aborted).toBe(true);
      await end('backlog');
      await end(name);
    }
    submit('4th', 'partial');
    expect(running.get('backlog')!.signal.aborted).toBe(false);
    await end('backlog');
    await expect(backlog.result).resolves.toBe('backlog');
    expect(started).toEqual(['backlog', '1st', 'backlog', '2nd', 'backlog', '3rd', 'backlog', '4th']);
  });

  test('a sentence that is being translated is not stopped by a partial', () => {
    const { submit, running } = bench();
    submit('sentence', 'translation');
    submit('partial', 'partial');
    expect(running.get('sentence')!.signal.aborted).toBe(false);
  });

  test('a final is never stopped by another', () => {
    const { submit, running } = bench();
    submit('first', 'final');
    submit('second', 'final');
    expect(running.get('first')!.signal.aborted).toBe(false);
  });

  test('sessions take turns', async () => {
    const { submit, end, started } = bench();
    for (const name of ['a1', 'a2', 'a3']) submit(name, 'final', { session: 'a' });
    for (const name of ['b1', 'b2']) submit(name, 'final', { session: 'b' });
    for (const name of ['a1', 'b1', 'a2', 'b2']) await end(name);
    expect(started).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  test('runtimes work side by side, each on one job', () => {
    const { submit, started } = bench();
    submit('one', 'partial', { lane: 'gpu' });
    submit('two', 'partial', { lane: 'wasm' });
    submit('three', 'partial', { lane: 'wasm' });
    expect(started).toEqual(['one', 'two']);
  });

  test('an aborted job answers at once, but its runtime is busy until it stops', async () => {
    const { submit, end, started } = bench();
    const controller = new AbortController();
    const aborted = submit('aborted', 'final', { signal: controller.signal });
    const waiting = submit('waiting', 'final', { signal: controller.signal });
    submit('next', 'final');
    controller.abort(new Error('enough'));
    await expect(aborted.result).rejects.toThrow('enough');
    await expect(waiting.result).rejects.toThrow('enough');
    expect(started).toEqual(['aborted']);
    await end('aborted');
    expect(started).toEqual(['aborted', 'next']);
  });

  test('a partial that became the final is not stopped, and stops others', async () => {
    const { submit, end, started, running } = bench();
    submit('running', 'partial');
    const promoted = submit('promoted', 'partial');
    promoted.setPriority('final');
    expect(running.get('running')!.signal.aborted).toBe(true);
    await end('running');
    submit('other', 'final');
    expect(started).toEqual(['running', 'promoted']);
    expect(running.get('promoted')!.signal.aborted).toBe(false);
  });

  test('under load partials are refused; finals, and what is to be translated, are not', async () => {
    const { submit, end, started } = bench();
    submit('running', 'final');
    for (let index = 0; index < 200; index += 1) submit(`partial ${index}`, 'partial');
    const late = submit('late', 'partial');
    const final = submit('final', 'final');
    let refused = false;
    submit('sentence', 'translation').result.catch(() => (refused = true));
    await expect(late.result).rejects.toMatchObject({ name: 'AbortError' });
    await end('running');
    expect(started).toEqual(['running', 'final']);
    await end('final');
    await expect(final.result).resolves.toBe('final');
    expect(refused).toBe(false);
  });
});
