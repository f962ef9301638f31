import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startServer } from './static-server.mjs';

export { startServer };

/** Serves the production build until it is stopped. */
async function main() {
  const dir = fileURLToPath(new URL('../dist', import.meta.url));
  const port = Number(process.env.PORT ?? 4173);
  if (!existsSync(dir)) {
    console.error('There is no build yet. Run: npm start');
    process.exitCode = 1;
    return;
  }
  try {
    const { url } = await startServer({ dir, port });
    console.log(`Unisono is at ${url}`);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    console.error(
      taken
        ? `Port ${port} is taken by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`
        : error,
    );
    process.exitCode = 1;
  }
}

const [, script] = process.argv;
if (script && realpathSync(script) === fileURLToPath(import.meta.url)) await main();
