import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpeechMessage } from '@core/protocol/audio.ts';
import { NOTHING_DONE } from '@core/protocol/engine.ts';
import { SpeechSender } from '@workers/capture/speech-sender.ts';
import { Uplink, type UplinkParts } from '@workers/capture/uplink.ts';
import { SESSION, SETTINGS, SOURCES, UplinkWorld } from '../support/uplink-world.ts';
import { settled } from '../support/virtual-clock.ts';

const FLIGHT_SAMPLES = 20 * 16_000;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('speak' as const),
      source: fc.nat(1),
      seconds: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('pause' as const),
      source: fc.nat(1),
      seconds: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 200 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('finalise' as const),
      choice: fc.nat(5),
      acknowledge: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('change' as const), successor: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refuse' as const), refuses: fc.boolean() }) },
);

describe('uplink', () => {
  it('brings every word to an engine that stores it, once by its id, whatever becomes of engines', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new UplinkWorld();
        for (const action of steps) {
          if (action.type === 'speak') world.speak(action.source, action.seconds);
          if (action.type === 'pause') world.pause(action.source, action.seconds);
          if (action.type === 'deliver') await world.deliver(action.count);
          if (action.type === 'finalise') await world.finalise(action.choice, action.acknowledge);
          if (action.type === 'change') await world.change(action.successor);
          if (action.type === 'wait') await world.wait(action.ms);
          if (action.type === 'refuse') world.refuses = action.refuses;
        }
        world.refuses = false;
        world.end();
        if (!world.engine) await world.change(true);
        await world.finish();
        expect(world.stored).toEqual(world.expected);
        expect(world.largestFlight).toBeLessThanOrEqual(FLIGHT_SAMPLES);
        expect(world.uplink.unacknowledged(SOURCES[0])).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('sends all of an utterance that is longer than what may be under way', async () => {
    const world = new UplinkWorld();
    await world.change(true);
    world.speak(0, 27);
    world.pause(0, 2);
    await world.deliver(1000);
    await world.finalise(0, true);
    expect(world.stored).toEqual(world.expected);
    expect(world.stored.size).toBe(1);
  });

  it('does not let a source that waits hold up another', async () => {
    const world = new UplinkWorld();
    await world.change(true);
    for (let i = 0; i < 6; i++) {
      world.speak(0, 10);
      world.pause(0, 2);
    }
    world.speak(1, 3);
    await world.deliver(5000);
    expect(world.engine?.sources.get(SOURCES[1])?.open.size).toBe(1);
    expect(world.engine?.sources.get(SOURCES[0])?.open.size).toBeLessThan(5);
  });

  it('tells another engine of a source that joined and of settings that changed while there was none', async () => {
    const world = new UplinkWorld([SOURCES[0]]);
    await world.change(true);
    await world.deliver(5);
    world.uplink.addSource({ sourceId: SOURCES[1], kind: 'tab', offsetMs: 5 });
    await world.deliver(5);
    expect([...(world.engine?.sources.keys() ?? [])]).toEqual([...SOURCES]);
    await world.change(false);
    const french = { ...SETTINGS, languages: ['fr'] } as const;
    world.uplink.updateSettings(french);
    await world.change(true);
    await world.deliver(5);
    expect(world.engine?.settings).toEqual(french);
    expect([...(world.engine?.sources.keys() ?? [])]).toEqual([...SOURCES]);
    world.uplink.updateSettings(SETTINGS);
    await world.deliver(5);
    expect(world.engine?.settings).toEqual(SETTINGS);
  });

  it('sends no speech before the engine has said what it has, and none that is stored', async () => {
    const world = new UplinkWorld();
    await world.change(true);
    world.speak(0, 2);
    world.pause(0, 4);
    world.speak(0, 2);
    world.pause(0, 4);
    await world.deliver(1000);
    await world.finalise(0, true);
    await world.change(true);
    await world.deliver(1000);
    const [second] = [...world.expected.values()].slice(1);
    expect([...(world.engine?.sources.get(SOURCES[0])?.open.keys() ?? [])]).toEqual([second?.start]);
  });

  it('asks again when the engine refuses, and says so', async () => {
    const world = new UplinkWorld();
    world.refuses = true;
    await world.change(true);
    world.speak(0, 2);
    await world.deliver(5);
    expect(world.warnings).toEqual(['engine-refused']);
    world.refuses = false;
    world.end();
    expect(await world.finish()).toMatchObject({ finalCalls: 7 });
    expect(world.stored.size).toBe(1);
  });

  it('ends at once when nothing was said and there is no engine, and waits for one when something was', async () => {
    const silent = new UplinkWorld();
    silent.pause(0, 3);
    silent.end();
    expect(await silent.uplink.finish()).toMatchObject({ utterances: 0 });

    const spoken = new UplinkWorld();
    spoken.speak(0, 3);
    spoken.end();
    let over = false;
    const finished = spoken.uplink.finish().then(() => (over = true));
    await spoken.wait(1e9);
    expect(over).toBe(false);
    await spoken.change(true);
    await spoken.finish();
    await finished;
    expect(spoken.stored).toEqual(spoken.expected);
  });

  it('does not take the word of an engine that closes what it never had', async () => {
    const world = new UplinkWorld();
    world.speak(0, 3);
    world.end();
    await world.change(true);
    const finished = world.uplink.finish();
    await world.deliver(1000);
    world.engine?.sources.clear();
    world.engine?.closing?.(NOTHING_DONE);
    await world.finish();
    await finished;
    expect(world.stored).toEqual(world.expected);
  });

  it('tells how much waits, and for whom, at most once a second', async () => {
    const world = new UplinkWorld();
    world.speak(0, 10);
    expect(world.backlogs.at(-1)?.attached).toBe(false);
    expect(world.backlogs.length).toBeLessThan(3);
    await world.wait(1000);
    expect(world.backlogs.at(-1)?.speechMs).toBeGreaterThan(9500);
    world.end();
    await world.change(true);
    await world.finish();
    expect(world.backlogs).toContainEqual({ speechMs: 0, attached: true });
  });

  it('puts silence where the disk gives nothing back, and goes on', async () => {
    const said: SpeechMessage[] = [];
    const warnings: string[] = [];
    const uplink = new Uplink({
      sessionId: SESSION,
      settings: SETTINGS,
      connection: {
        owner: null,
        speech: (_, message) => said.push(message) > 0,
        call: (() => Promise.resolve({ acknowledged: [] })) as unknown as UplinkParts['connection']['call'],
      },
      clock: { now: () => 0, after: () => () => undefined },
      read: () => {
        throw new DOMException('gone', 'NotReadableError');
      },
      acknowledged: () => undefined,
      backlog: () => undefined,
      warn: (code) => warnings.push(code),
    });
    uplink.addSource({ sourceId: SOURCES[0], kind: 'microphone', offsetMs: 0 });
    uplink.ownerChanged(true);
    await settled();
    const sender = new SpeechSender(SOURCES[0], (message) => uplink.push(message));
    for (let i = 0; i < 20; i++) sender.push(512, 0.9);
    const audio = said.find((message) => message.type === 'speech-audio');
    expect(audio?.samples.every((sample) => sample === 0)).toBe(true);
    expect(warnings).toContain('journal-unreadable');
  });
});
