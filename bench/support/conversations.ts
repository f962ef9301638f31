import { parseRttm } from '@core/speakers/rttm.ts';
import type { SpeakerTurn } from '@core/speakers/turns.ts';
import { converse, type ConversationPlan, type Utterance } from '../../tests/support/conversations.ts';
import { decodedSamples, loadReaders } from '../../tests/support/readers.ts';

/** Whether the segmentation stand-in was trained on these voices. Only what it has seen is tuned on. */
export type Group = 'seen' | 'unseen';

export interface LabelledRecording {
  readonly name: string;
  readonly group: Group;
  readonly samples: Float32Array<ArrayBuffer>;
  readonly reference: readonly SpeakerTurn<string>[];
}

/** Recorded conversations with RTTM. */
const RECORDED: Readonly<Record<Group, readonly string[]>> = {
  seen: ['ami-trn01', 'ami-trn05'],
  unseen: ['ami-dev00', 'ami-dev01', 'telephone-2spk'],
};

const READERS: Readonly<Record<Group, readonly string[]>> = {
  seen: ['1688', '1998', '2033', '2609'],
  unseen: ['2414', '3005'],
};

/** Of two unseen readers no larger conversation can be made: these are further ones, single speakers of `en/`. */
const MORE_UNSEEN: Readonly<Record<string, readonly string[]>> = {
  '1995': ['librispeech-1995-1837-0001.wav'],
  spk1: [1, 2, 3, 4, 5].map((sentence) => `speechbrain-spk1_snt${sentence}.wav`),
};

const plan = (seed: number, speakers: number): ConversationPlan => ({
  seed,
  speakers,
  durationMs: 60_000,
  overlap: 0.1,
});

const PLANS: Readonly<Record<Group, readonly ConversationPlan[]>> = {
  seen: [plan(11, 2), plan(12, 3), plan(13, 4), plan(14, 4)],
  unseen: [plan(21, 2), plan(22, 2), plan(23, 3), plan(24, 4)],
};

/** @param wanted whether a recording of that name is to be loaded. @param audioUrl ../shared/audio, with a slash at its end */
export async function loadRecordings(
  audioUrl: string,
  wanted: (name: string) => boolean,
): Promise<LabelledRecording[]> {
  const recordings: LabelledRecording[] = [];
  for (const group of ['seen', 'unseen'] as const) {
    for (const name of RECORDED[group].filter(wanted)) {
      const rttm = await (await fetch(`${audioUrl}conversations/${name}.rttm`)).text();
      const samples = await decodedSamples(`${audioUrl}conversations/${name}.wav`);
      recordings.push({ name, group, samples, reference: parseRttm(rttm).get(name) ?? [] });
    }
    const plans = PLANS[group].map((one) => ({ ...one, name: `${group}-${one.seed}-of-${one.speakers}` }));
    if (!plans.some(({ name }) => wanted(name))) continue;
    const readers = [...((await loadReaders(audioUrl, READERS[group])) ?? [])];
    const more = group === 'unseen' ? await moreReaders(audioUrl) : [];
    for (const one of plans.filter(({ name }) => wanted(name))) {
      const enough = one.speakers <= READERS[group].length ? readers : [...readers, ...more];
      const { samples, turns } = converse(enough, one);
      recordings.push({ name: one.name, group, samples, reference: turns });
    }
  }
  return recordings;
}

const moreReaders = (audioUrl: string): Promise<Utterance[]> =>
  Promise.all(
    Object.entries(MORE_UNSEEN).flatMap(([speaker, files]) =>
      files.map(async (file) => ({ speaker, samples: await decodedSamples(`${audioUrl}en/${file}`) })),
    ),
  );
