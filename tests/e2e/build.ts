import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The build under test: as for production, with the hooks that tests need, in dist-test. */
export default function buildForTests(): void {
  const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));
  execFileSync(
    process.execPath,
    [vite, 'build', '--mode', 'test', '--outDir', 'dist-test', '--logLevel', 'error'],
    {
      cwd: root,
      // Playwright sets NODE_ENV to "test", and Vite then leaves out what only production has.
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: 'inherit',
    },
  );
}
