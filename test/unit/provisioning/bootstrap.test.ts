import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BootstrapError, bootstrap, TEST_PACKAGES } from '../../../provisioning/bootstrap.mjs';

const BOOTSTRAP = new URL('../../../provisioning/bootstrap.mjs', import.meta.url).href;
const RUNTIME = `node-linux-${process.arch}`;

/** Stands in for npm: notes its calls and leaves behind what `npm ci` of that lock file would. */
const NPM = `#!/bin/sh
echo "npm $*" >> "$CALLS"
[ -n "$NPM_FAILS" ] && { echo "$NPM_FAILS" >&2; exit 1; }
[ -n "$NPM_DIES" ] && kill -9 $$
if [ -n "$NPM_UNTIL" ]; then until [ -e "$NPM_UNTIL" ]; do sleep 0.05; done; else sleep 0.2; fi
mkdir -p node_modules
case "$*" in *--prefix*)
  cp package-lock.json "$CALLS.lock"
  mkdir -p node_modules/${RUNTIME}/bin
  echo '{"version":"24.21.0"}' > node_modules/${RUNTIME}/package.json
  printf '#!/bin/sh\\necho v24.21.0\\n' > node_modules/${RUNTIME}/bin/node
  chmod +x node_modules/${RUNTIME}/bin/node;;
esac
exit 0
`;

let folder: string;
let root: string;
let said: string[];
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'securegate-bootstrap-'));
  root = join(folder, 'checkout');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(root);
  said = [];
  env = { PATH: [join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter), CALLS: join(folder, 'calls') };
  program('npm', NPM);
  program('apt-get', '#!/bin/sh\necho "apt-get $*" >> "$CALLS"\n');
  program('dpkg-query', `#!/bin/sh\n${TEST_PACKAGES.map((name) => `echo '${name} installed'`).join('\n')}\n`);
  writeLock('one');
  writePackage({ engines: '>=18.0.0' });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, text: string): void {
  writeFileSync(join(folder, 'bin', name), text);
  chmodSync(join(folder, 'bin', name), 0o755);
}

function writeLock(content: string): void {
  writeFileSync(join(root, 'package-lock.json'), content);
}

function writePackage({
  engines,
  integrity = { [process.arch]: 'sha512-pinned' },
}: {
  engines: string;
  integrity?: Record<string, string>;
}): void {
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ engines: { node: engines }, securegate: { runtime: { version: '24.21.0', integrity } } }),
  );
}

const start = (options: { withTests?: boolean; withHsm?: boolean; uid?: number } = {}): Promise<{ node: string }> =>
  bootstrap({
    root,
    withTests: options.withTests ?? false,
    withHsm: options.withHsm ?? false,
    env,
    uid: options.uid ?? 0,
    say: (line) => said.push(line),
  });

function calls(): string[] {
  return existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
}

describe('what speaks to an HSM', () => {
  const addon = (): boolean => existsSync(join(root, 'node_modules/pkcs11js/build/Release/pkcs11.node'));
  const GPP = `#!/bin/sh
echo "g++ $*" >> "$CALLS"
[ -n "$GPP_FAILS" ] && { echo "$GPP_FAILS" >&2; exit 1; }
while [ $# -gt 1 ]; do [ "$1" = -o ] && : > "$2"; shift; done
`;

  test('is built where it is asked for, once, and nowhere else', async () => {
    program('g++', GPP);
    await start();
    expect(addon()).toBe(false);
    await start({ withHsm: true });
    expect(addon()).toBe(true);
    const before = calls().length;
    await start({ withHsm: true });
    expect(calls()).toHaveLength(before);
  });

  test('is done without where it cannot be built', async () => {
    program('g++', GPP);
    env.GPP_FAILS = 'no headers';
    await start({ withHsm: true });
    expect(addon()).toBe(false);
    expect(said.join('\n')).toMatch(/no headers[\s\S]*there is no HSM here/);
  });
});

describe('the runtime', () => {
  test('of the machine is taken where it is new enough', async () => {
    expect((await start()).node).toBe(process.execPath);
    expect(existsSync(join(root, '.runtime'))).toBe(false);
  });

  test('is put beside the project where the machine has an older one, pinned by its integrity, once', async () => {
    writePackage({ engines: '>=99.0.0' });
    const { node } = await start();
    expect(node).toBe(join(root, '.runtime/node_modules', RUNTIME, 'bin/node'));
    expect(existsSync(node)).toBe(true);
    expect((statSync(join(root, '.runtime')).mode & 0o777).toString(8), 'others run it as well').toBe('755');
    const lock = JSON.parse(readFileSync(join(folder, 'calls.lock'), 'utf8'));
    expect(lock.packages[`node_modules/${RUNTIME}`]).toEqual({ version: '24.21.0', integrity: 'sha512-pinned' });
    expect(said[0]).toMatch(/installing Node 24\.21\.0 .*this machine has/);
    const before = calls().length;
    await start();
    expect(calls()).toHaveLength(before);
  });

  test('replaces one of another version', async () => {
    const old = join(root, '.runtime/node_modules', RUNTIME);
    mkdirSync(join(old, 'bin'), { recursive: true });
    writeFileSync(join(old, 'bin/node'), '');
    writeFileSync(join(old, 'package.json'), '{"version":"24.0.0"}');
    writePackage({ engines: '>=99.0.0' });
    await start();
    expect(JSON.parse(readFileSync(join(old, 'package.json'), 'utf8')).version).toBe('24.21.0');
  });

  test('leaves nothing in its place when the package is not the pinned one, and starts afresh next time', async () => {
    writePackage({ engines: '>=99.0.0' });
    env.NPM_FAILS = 'npm error code EINTEGRITY';
    await expect(start()).rejects.toThrow(/EINTEGRITY[\s\S]*not the pinned one/);
    expect(existsSync(join(root, '.runtime'))).toBe(false);
    delete env.NPM_FAILS;
    await start();
    expect(readdirSync(root).filter((name) => name.startsWith('.runtime-'))).toEqual([]);
  });

  test('cannot be had for every machine: says so', async () => {
    writePackage({ engines: '>=99.0.0', integrity: {} });
    await expect(start()).rejects.toThrow(/install Node 24\.21\.0 or newer/);
    expect(calls()).toEqual([]);
  });
});

describe('the dependencies', () => {
  test('are installed once, without install scripts, and again when the lock file changes', async () => {
    await start();
    await start();
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(/^npm ci --omit=dev .*--ignore-scripts/);
    writeLock('two');
    await start();
    expect(calls()).toHaveLength(2);
  });

  test('of the tests come on top, and stay for a start without them', async () => {
    await start();
    await start({ withTests: true });
    await start();
    await start({ withTests: true });
    expect(calls().map((call) => call.split(' ')[2])).toEqual(['--omit=dev', '--include=dev']);
  });

  test('are installed again after an install that was killed', async () => {
    env.NPM_DIES = '1';
    await expect(start()).rejects.toThrow(/SIGKILL/);
    delete env.NPM_DIES;
    await start();
    expect(calls()).toHaveLength(2);
  });

  test('need npm: says so where there is none', async () => {
    env.PATH = join(folder, 'nothing');
    await expect(start()).rejects.toThrow(/npm cannot be started .*is it installed\?/);
  });

  test('need the network: says what to look at', async () => {
    env.NPM_FAILS = 'npm error code EAI_AGAIN';
    const failure = start();
    await expect(failure).rejects.toThrow(/No network\?/);
    await expect(failure).rejects.toBeInstanceOf(BootstrapError);
  });

  test.skipIf(process.getuid?.() === 0)('cannot be put into the checkout of somebody else (but root may): says so', async () => {
    chmodSync(root, 0o555);
    await expect(start()).rejects.toThrow(/not yours to write to/);
    chmodSync(root, 0o755);
    mkdirSync(join(root, '.cache'), { mode: 0o555 });
    await expect(start()).rejects.toThrow(/\.cache is not yours to write to/);
    expect(calls()).toEqual([]);
  });
});

describe('two starts at once', () => {
  const another = (more: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { writeFileSync } from 'node:fs';
         const { bootstrap } = await import(${JSON.stringify(BOOTSTRAP)});
         await bootstrap({ root: ${JSON.stringify(root)}, withTests: false, env: process.env, uid: 0, say: (line) => {
           console.log(line);
           if (line.startsWith('waiting')) writeFileSync(process.env.CALLS + '.waits', '');
         } });`,
      ],
      { env: { ...env, ...more } },
    );

  test('install once: the others wait and say so', async () => {
    const until = { NPM_UNTIL: join(folder, 'calls.waits') };
    const outputs = await Promise.all([another(until), another(until), another(until)]);
    expect(calls()).toHaveLength(1);
    expect(outputs.filter(({ stdout }) => stdout.includes('waiting for another start'))).not.toEqual([]);
    expect(readdirSync(join(root, '.cache'))).toEqual([]);
  });

  test('do not wait for one that died', async () => {
    const { stdout: dead } = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
    mkdirSync(join(root, '.cache'));
    writeFileSync(join(root, '.cache/bootstrap.lock'), `${dead.trim()} 1`);
    await Promise.all([another(), another()]);
    expect(calls()).toHaveLength(1);
    expect(readdirSync(join(root, '.cache'))).toEqual([]);
  });

  test('do not wait for one that died and whose number is now their own, as after a restart of a container', async () => {
    mkdirSync(join(root, '.cache'));
    const lock = join(root, '.cache/bootstrap.lock');
    writeFileSync(`${lock}.${process.pid}`, `${process.pid} 1`);
    linkSync(`${lock}.${process.pid}`, lock);
    await start();
    expect(calls()).toHaveLength(1);
    expect(readdirSync(join(root, '.cache'))).toEqual([]);
  });
});

describe('Debian packages of the tests', () => {
  const [missing = '', ...others] = TEST_PACKAGES;
  beforeEach(() => {
    program(
      'dpkg-query',
      `#!/bin/sh\necho '${missing} config-files'\n${others.map((name) => `echo '${name} installed'`).join('\n')}\nexit 1\n`,
    );
  });

  test('are installed by root, the missing ones alone', async () => {
    await start({ withTests: true });
    expect(calls().slice(-2)).toEqual(['apt-get update', `apt-get install --yes --no-install-recommends ${missing}`]);
  });

  test('others are told the exact command', async () => {
    await start({ withTests: true, uid: 1000 });
    expect(said.at(-1)).toContain(`sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends ${missing}'`);
    expect(calls().filter((call) => call.startsWith('apt-get'))).toEqual([]);
  });

  test('that cannot be had are told, and the tests go on without them', async () => {
    program('apt-get', '#!/bin/sh\necho "Temporary failure resolving" >&2\nexit 100\n');
    await start({ withTests: true });
    expect(said.at(-1)).toMatch(/Temporary failure[\s\S]*No network\?[\s\S]*some tests are skipped/);
  });

  test('are not asked for by a start without tests', async () => {
    await start({ uid: 1000 });
    expect(calls()).toHaveLength(1);
  });
});
