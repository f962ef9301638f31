import { DecodedFile } from '@workers/capture/file-decoder.ts';
import type { Utterance } from './conversations.ts';

interface Clip {
  readonly file: string;
  readonly speaker?: string;
}

/** A file's sound as the app decodes it: mono float32 at 16 kHz. */
export async function decodedSamples(url: string): Promise<Float32Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const decoded = await DecodedFile.open(new File([await response.blob()], url));
  const blocks: Float32Array[] = [];
  for await (const { block, samples } of decoded.blocks()) blocks.push(block.subarray(0, samples));
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/**
 * People who read some sentences each.
 *
 * @param folder URL of ../shared/audio, with a slash at its end
 * @param speakers all of them unless given
 * @returns null where it is absent
 */
export async function loadReaders(
  folder = '/shared/audio/',
  speakers?: readonly string[],
): Promise<readonly Utterance[] | null> {
  const response = await fetch(`${folder}manifest.json`);
  if (!response.ok) {
    console.warn('../shared/audio is absent: tests with real voices are skipped.');
    return null;
  }
  const { clips } = (await response.json()) as { clips: readonly Clip[] };
  const wanted = clips.flatMap(({ file, speaker }) =>
    speaker && (speakers?.includes(speaker) ?? true) ? [{ file, speaker }] : [],
  );
  return Promise.all(
    wanted.map(async ({ file, speaker }) => ({ speaker, samples: await decodedSamples(folder + file) })),
  );
}
