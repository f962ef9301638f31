import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : null);

/** Whether what npm last installed is what the lockfile asks for, other platforms' binaries apart. */
function matches(wanted, installed) {
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.optional || entry.link) return true;
    return installed.packages[path]?.version === entry.version;
  });
}

/**
 * Installs the packages of package-lock.json unless they are there already.
 *
 * `npm install --no-save` keeps to the lockfile and leaves it as it is, like `npm ci`, but does
 * not refuse when a registry lacks another platform's binary. Install scripts stay off: no
 * package here needs one, and one of them would download from elsewhere.
 * @throws {Error} when npm fails
 */
export function installPackages(root) {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lock).digest('hex');
  const stamp = join(root, 'node_modules/.unisono');
  if (read(stamp) === hash) return;
  const installed = read(join(root, 'node_modules/.package-lock.json'));
  if (installed === null || !matches(JSON.parse(lock), JSON.parse(installed))) {
    console.log('Installing packages. This takes a minute the first time.');
    const npm = process.env.npm_execpath;
    const [command, ...first] = npm?.endsWith('js') ? [process.execPath, npm] : ['npm'];
    const { status, error } = spawnSync(
      command,
      [...first, 'install', '--no-save', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'],
      { cwd: root, stdio: 'inherit', shell: command === 'npm' && process.platform === 'win32' },
    );
    if (status !== 0) {
      throw new Error(
        `The packages could not be installed${error ? ` (${error.message})` : ''}. ` +
          'Check the connection to the npm registry, then run the command again.',
      );
    }
  }
  writeFileSync(stamp, hash);
}
