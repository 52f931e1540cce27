// Puts in place what a checkout needs before its TypeScript can run. Plain JavaScript without dependencies for
// Node >= 18, because it runs before any of them are there.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildConsole, hasConsole } from './build-console.mjs';
import { buildPkcs11, hasPkcs11 } from './build-pkcs11.mjs';
import { holdLock } from './hold-lock.mjs';

/**
 * Debian packages that the tests use beside the product: GStreamer, as a second opinion on RTSP; Chromium, to use the
 * console; OpenSSL, to make certificates; SoftHSM, as the HSM, OpenSC, as somebody else who has its PIN, and the compiler for what
 * speaks to it; swtpm, as the TPM, and what speaks to it; FFmpeg's program, which the bench compares with; Postgres, which the
 * control plane grows into, and SQLite's program, by which it is backed up before; mosquitto, as the broker that may stand in place of
 * the embedded one; systemd, for its word on our units; Poppler, to see what is in a PDF.
 */
export const TEST_PACKAGES = [
  'gstreamer1.0-tools',
  'gstreamer1.0-plugins-good',
  'chromium',
  'openssl',
  'softhsm2',
  'opensc',
  'g++',
  'swtpm',
  'tpm2-tools',
  'ffmpeg',
  'postgresql',
  'mosquitto',
  'sqlite3',
  'systemd',
  'poppler-utils',
];

/** Something the person at the keyboard has to do first; `message` says what. */
export class BootstrapError extends Error {
  /** @override */
  name = 'BootstrapError';
}

/**
 * @typedef {object} Bootstrap
 * @property {string} root folder of the checkout
 * @property {boolean} withTests also development dependencies and Debian packages of the tests
 * @property {boolean} withHsm also what speaks to an HSM, where a C++ compiler is
 * @property {(line: string) => void} say receives each step in plain words
 * @property {NodeJS.ProcessEnv} env
 * @property {number | undefined} uid user that runs this; 0 may install Debian packages
 */

/**
 * Makes the checkout ready and tells which Node runs it. With everything in place it only reads a few small files.
 * @param {Bootstrap} bootstrap
 * @returns {Promise<{ node: string }>} path of the Node program to run the sources with
 * @throws {BootstrapError}
 */
export async function bootstrap({ root, withTests, withHsm, say, env, uid }) {
  const { securegate, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const system = runsSources(process.versions.node, engines.node);
  const node = system ? process.execPath : join(root, RUNTIME, `node-linux-${process.arch}`, 'bin/node');
  const runtime = system ? process.versions.node : securegate.runtime.version;
  const isReady = async () =>
    (system || (await hasRuntime(root, runtime))) &&
    (await hasDependencies(root, runtime, withTests)) &&
    (await hasConsole(root)) &&
    (!withHsm || hasPkcs11(root)) &&
    (!withTests || missingPackages(env).length === 0);
  if (await isReady()) return { node };

  await requireWritable(root);
  await mkdir(join(root, '.cache'), { recursive: true });
  await requireWritable(join(root, '.cache'));
  const release = await holdLock(join(root, '.cache/bootstrap.lock'), () => say('waiting for another start that is installing'));
  try {
    if (!system && !(await hasRuntime(root, runtime))) await installRuntime(root, securegate.runtime, say, env);
    if (!(await hasDependencies(root, runtime, withTests))) await installDependencies(root, runtime, withTests, say, env);
    if (!(await hasConsole(root))) {
      say("building the operator's page");
      await buildConsole(root, (args) => run(node, args, { cwd: root, env, say }));
    }
    if (withTests) await installPackages(say, env, uid);
    if (withHsm && !hasPkcs11(root)) await installPkcs11(root, node, say, env);
  } finally {
    await release();
  }
  return { node };
}

const RUNTIME = '.runtime/node_modules';
const STAMP = 'node_modules/.securegate-lock';

/**
 * Whether a Node is new enough for the sources.
 * @param {string} version @param {string} range of the form `>=24.3.0`
 */
export function runsSources(version, range) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = range.replace('>=', '').split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** @param {string} root @param {string} version */
async function hasRuntime(root, version) {
  const folder = join(root, RUNTIME, `node-linux-${process.arch}`);
  if (!existsSync(join(folder, 'bin/node'))) return false;
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')).version === version;
}

/**
 * Installs the pinned Node beside the project. npm checks the tarball against our integrity; the folder appears in one step.
 * @param {string} root @param {{ version: string, integrity: Record<string, string> }} runtime
 * @param {Bootstrap['say']} say @param {NodeJS.ProcessEnv} env
 */
async function installRuntime(root, runtime, say, env) {
  const name = `node-linux-${process.arch}`;
  const integrity = runtime.integrity[process.arch];
  if (process.platform !== 'linux' || integrity === undefined) {
    throw new BootstrapError(
      `This machine (${process.platform} ${process.arch}) has Node ${process.versions.node}; install Node ${runtime.version} or newer on it by hand.`,
    );
  }
  for (const left of await readdir(root)) if (left.startsWith('.runtime-')) await rm(join(root, left), { recursive: true });
  say(`installing Node ${runtime.version} beside the project (this machine has ${process.versions.node})`);
  const fresh = await mkdtemp(join(root, '.runtime-'));
  // mkdtemp shuts everybody else out; the daemon often runs as another user than the one who installs.
  await chmod(fresh, 0o755);
  const dependencies = { [name]: runtime.version };
  const lock = {
    lockfileVersion: 3,
    requires: true,
    packages: { '': { dependencies }, [`node_modules/${name}`]: { version: runtime.version, integrity } },
  };
  await writeFile(join(fresh, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(join(fresh, 'package-lock.json'), JSON.stringify(lock));
  await run('npm', ['ci', '--prefix', fresh, ...QUIET], { cwd: fresh, env, say });
  await run(join(fresh, 'node_modules', name, 'bin/node'), ['--version'], { cwd: fresh, env, say });
  await rm(join(root, '.runtime'), { recursive: true, force: true });
  await rename(fresh, join(root, '.runtime'));
}

/** @param {string} root @param {string} runtime version of the Node that they are for */
async function stampFor(root, runtime) {
  const lock = createHash('sha256')
    .update(await readFile(join(root, 'package-lock.json')))
    .digest('hex');
  return { lock, node: runtime.split('.')[0], platform: `${process.platform}-${process.arch}` };
}

/**
 * Whether node_modules is what the lock file says.
 * @param {string} root @param {string} runtime @param {boolean} development
 */
async function hasDependencies(root, runtime, development) {
  if (!existsSync(join(root, STAMP))) return false;
  const stamp = JSON.parse(await readFile(join(root, STAMP), 'utf8'));
  const wanted = await stampFor(root, runtime);
  return (
    stamp.lock === wanted.lock && stamp.node === wanted.node && stamp.platform === wanted.platform && (stamp.development || !development)
  );
}

/** @param {string} root @param {string} runtime @param {boolean} development @param {Bootstrap['say']} say @param {NodeJS.ProcessEnv} env */
async function installDependencies(root, runtime, development, say, env) {
  say(`installing ${development ? 'all' : 'runtime'} dependencies from package-lock.json (npm ci)`);
  await run('npm', ['ci', development ? '--include=dev' : '--omit=dev', ...QUIET], { cwd: root, env, say });
  // Written last, so that a killed install is repeated.
  await writeFile(join(root, STAMP), `${JSON.stringify({ ...(await stampFor(root, runtime)), development })}\n`);
}

/**
 * Without dpkg-query (not a Debian machine) all of them.
 * @param {NodeJS.ProcessEnv} env
 */
function missingPackages(env) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const format = '${Package} ${db:Status-Status}\\n';
  const query = spawnSync('dpkg-query', ['--show', `--showformat=${format}`, ...TEST_PACKAGES], {
    env,
    encoding: 'utf8',
  });
  return TEST_PACKAGES.filter((name) => !query.stdout?.split('\n').includes(`${name} installed`));
}

/**
 * Never fails: the few tests that need a package are skipped, and say so, where it cannot be had.
 * @param {Bootstrap['say']} say @param {NodeJS.ProcessEnv} env @param {number | undefined} uid
 */
async function installPackages(say, env, uid) {
  const missing = missingPackages(env);
  if (missing.length === 0) return;
  const command = `apt-get update && apt-get install --yes --no-install-recommends ${missing.join(' ')}`;
  const byHand = `some tests are skipped without Debian packages that are not here; to install them: sudo sh -c '${command}'`;
  if (uid !== 0) {
    say(byHand);
    return;
  }
  say(`installing Debian packages for the tests: ${missing.join(' ')}`);
  try {
    await run('sh', ['-c', command], { cwd: '/', env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, say });
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(`${error.message}\n${byHand}`);
  }
}

/**
 * Never fails: the KMS itself says what is missing when its configuration names an HSM.
 * @param {string} root @param {string} node @param {Bootstrap['say']} say @param {NodeJS.ProcessEnv} env
 */
async function installPkcs11(root, node, say, env) {
  say('building what speaks to an HSM');
  try {
    await buildPkcs11(root, node, (program, args, cwd) => run(program, args, { cwd, env, say }));
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(`${error.message}\nwithout it there is no HSM here`);
  }
}

/** No install scripts (see .npmrc), and warnings about other people's packages are not the reader's business. */
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** @param {string} folder */
async function requireWritable(folder) {
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new BootstrapError(`Something is missing here, and ${folder} is not yours to write to: start once as its owner.`, {
      cause: error,
    });
  }
}

/**
 * Runs a program, shows that it is alive, and keeps its output for the case that it fails.
 * @param {string} program @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, say: Bootstrap['say'] }} options
 * @returns {Promise<void>}
 */
async function run(program, args, { cwd, env, say }) {
  const started = Date.now();
  const alive = setInterval(() => say(`... ${Math.round((Date.now() - started) / 1000)} s`), 10_000);
  try {
    await new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      const keep = (/** @type {Buffer} */ chunk) => {
        output = (output + chunk).slice(-8192);
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      child.on('error', (error) =>
        reject(new BootstrapError(`${program} cannot be started (${error.message}): is it installed?`, { cause: error })),
      );
      child.on('close', (code, signal) => {
        if (code === 0) resolve(undefined);
        else reject(new BootstrapError(`${output.trim()}\n${program} ${args[0]} failed (${signal ?? code}). ${adviceOn(output)}`.trim()));
      });
    });
  } finally {
    clearInterval(alive);
  }
}

/** @param {string} output of a failed npm or apt-get */
function adviceOn(output) {
  if (/EINTEGRITY/.test(output))
    return 'A package is not the pinned one: check the registry or proxy in your npm configuration, then: npm cache clean --force';
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|Temporary failure/.test(output)) {
    return 'No network? Check the connection, or the registry and proxy of npm (npm config ls) and apt, then start again.';
  }
  if (/ENOSPC/.test(output)) return 'The disk is full: free some space, then start again.';
  return 'Correct what it says, then start again.';
}
