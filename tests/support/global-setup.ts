import type { TestProject } from 'vitest/node';
import { startTestHub } from './test-hub.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The local model hub, with a slash at the end: for tests of the hub itself, which make it fail. */
    hubUrl: string;
  }
}

/** Starts the model hub that browser tests download from; ends it with the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hub = await startTestHub();
  project.provide('hubUrl', hub.url);
  return () => hub.close();
}
