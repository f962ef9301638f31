import { afterEach, describe, expect, test } from 'vitest';
import type { TabId } from '@core/protocol/ids.ts';
import { PROTOCOL, type Envelope } from '@core/protocol/tabs.ts';
import type { Transport } from '@core/tabs/transport.ts';

/** The other end of the transport under test, in the same thread or in another. */
export interface Far {
  post(envelope: Envelope): void;
  /** Sends anything, as another program of this origin could. */
  postRaw(data: unknown): void;
  /** The next envelope that arrives here. */
  readonly next: () => Promise<Envelope>;
  close(): void;
}

export interface Ends {
  readonly near: Transport;
  readonly far: Far;
}

/** Twenty seconds of speech: the most that an uplink has under way. */
const LARGE_SAMPLES = 320_000;

const envelope = (body: object): Envelope => ({
  v: PROTOCOL,
  epoch: 1,
  tab: 'tab' as TabId,
  from: 'page',
  to: 'engine',
  body,
});

const numbered = (number: number): Envelope => envelope({ number });
const numberIn = ({ body }: Envelope): number => (body as { number: number }).number;
const samplesIn = ({ body }: Envelope): Float32Array => (body as { samples: Float32Array }).samples;

/** What arrives at a transport, one after another. */
export function inbox(transport: Transport): {
  readonly next: () => Promise<Envelope>;
  readonly unread: Envelope[];
} {
  const unread: Envelope[] = [];
  const waiting: ((envelope: Envelope) => void)[] = [];
  transport.listen((arrived) => {
    const reader = waiting.shift();
    if (reader) reader(arrived);
    else unread.push(arrived);
  });
  return {
    unread,
    next: () => {
      const first = unread.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** What every way between threads must do alike, so that nothing above it needs to know which one it is. */
export function transportContract(name: string, moves: boolean, open: () => Promise<Ends> | Ends): void {
  describe(name, () => {
    const opened: Ends[] = [];
    const ends = async (): Promise<Ends> => {
      const pair = await open();
      opened.push(pair);
      return pair;
    };
    /** As long as a message takes there and back: what was sent before has arrived, or never will. */
    const roundTrip = async ({ near, far }: Ends): Promise<void> => {
      const answers = inbox(near);
      near.post(numbered(-1));
      while (numberIn(await far.next()) !== -1);
      far.post(numbered(-2));
      while (numberIn(await answers.next()) !== -2);
    };

    afterEach(() => {
      for (const { near, far } of opened.splice(0)) {
        near.close();
        far.close();
      }
    });

    test('messages arrive in the order they were sent, both ways', async () => {
      const { near, far } = await ends();
      const arrived = inbox(near);
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      for (const number of numbers) {
        near.post(numbered(number));
        far.post(numbered(number));
      }
      const there: number[] = [];
      const here: number[] = [];
      while (there.length < numbers.length) there.push(numberIn(await far.next()));
      while (here.length < numbers.length) here.push(numberIn(await arrived.next()));
      expect(there).toEqual(numbers);
      expect(here).toEqual(numbers);
    });

    test('the envelope arrives whole', async () => {
      const { near, far } = await ends();
      near.post(numbered(1));
      await expect(far.next()).resolves.toEqual(numbered(1));
    });

    test('who sends does not hear itself', async () => {
      const { near, far } = await ends();
      const arrived = inbox(near);
      near.post(numbered(1));
      await far.next();
      far.post(numbered(2));
      expect(numberIn(await arrived.next())).toBe(2);
      expect(arrived.unread).toEqual([]);
    });

    test('samples are copied: the sender writes the next ones into the same buffer', async () => {
      const { near, far } = await ends();
      const samples = new Float32Array(512);
      for (const value of [0.25, 0.5, 0.75]) {
        samples.fill(value);
        near.post(envelope({ samples }));
      }
      samples.fill(1);
      for (const value of [0.25, 0.5, 0.75])
        expect(samplesIn(await far.next())).toEqual(new Float32Array(512).fill(value));
    });

    test(moves ? 'what is listed is moved' : 'what is listed to be moved is copied', async () => {
      const { near, far } = await ends();
      const samples = new Float32Array([0.25, 0.5]);
      expect(near.moves).toBe(moves);
      near.post(envelope({ samples }), [samples.buffer]);
      expect(samples.length).toBe(moves ? 0 : 2);
      expect(samplesIn(await far.next())).toEqual(new Float32Array([0.25, 0.5]));
    });

    test('twenty seconds of audio at a time arrive whole and in order', async () => {
      const { near, far } = await ends();
      const spoken = [1, 2, 3].map((seed) =>
        Float32Array.from({ length: LARGE_SAMPLES }, (_, index) => Math.sin(index * seed)),
      );
      for (const samples of spoken) near.post(envelope({ samples }));
      for (const samples of spoken) {
        const arrived = samplesIn(await far.next());
        expect(arrived.length).toBe(LARGE_SAMPLES);
        expect(arrived.findIndex((value, index) => value !== samples[index])).toBe(-1);
      }
    });

    test('every listener hears every message until it ends', async () => {
      const { near, far } = await ends();
      const heard: string[] = [];
      near.listen((arrived) => heard.push(`first ${numberIn(arrived)}`));
      const end = near.listen((arrived) => {
        heard.push(`second ${numberIn(arrived)}`);
        end();
      });
      const last = inbox(near);
      far.post(numbered(1));
      far.post(numbered(2));
      await last.next();
      await last.next();
      expect(heard).toEqual(['first 1', 'second 1', 'first 2']);
    });

    test('after close nothing is delivered, nothing is sent, and nothing throws', async () => {
      const { near, far } = await ends();
      const arrived = inbox(near);
      const unheard: Envelope[] = [];
      void far.next().then((sent) => unheard.push(sent));
      far.post(numbered(1));
      near.close();
      near.post(numbered(2));
      near.close();
      await roundTrip(await ends());
      expect([...arrived.unread, ...unheard]).toEqual([]);
    });

    test('what is no envelope is ignored', async () => {
      const { near, far } = await ends();
      const arrived = inbox(near);
      const foreign: number[] = [];
      near.listen(
        () => undefined,
        (v) => foreign.push(v),
      );
      const malformed: unknown[] = [
        null,
        undefined,
        'text',
        42,
        [],
        {},
        { v: '1' },
        { v: PROTOCOL },
        { v: PROTOCOL + 1 },
        { ...numbered(1), tab: 7 },
        { ...numbered(1), body: null },
        { ...numbered(1), body: 'text' },
        { ...numbered(1), epoch: '1' },
        { ...numbered(1), from: undefined },
        { ...numbered(1), to: null },
        new Float32Array(3),
      ];
      for (const data of malformed) far.postRaw(data);
      far.postRaw(numbered(2));
      expect(numberIn(await arrived.next())).toBe(2);
      expect([arrived.unread, foreign]).toEqual([[], []]);
    });

    test('another protocol is reported by its number and not delivered', async () => {
      const { near, far } = await ends();
      const arrived = inbox(near);
      const foreign: number[] = [];
      near.listen(
        () => undefined,
        (v) => foreign.push(v),
      );
      far.postRaw({ ...numbered(1), v: PROTOCOL + 1 });
      far.postRaw({ v: PROTOCOL + 2, tab: 'tab', what: 'the next build says in its own way' });
      far.postRaw(numbered(2));
      expect(numberIn(await arrived.next())).toBe(2);
      expect([arrived.unread, foreign]).toEqual([[], [PROTOCOL + 1, PROTOCOL + 2]]);
    });
  });
}
