import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { TPM_RC, TpmRefusal } from './tpm-refusal.ts';

/** A discrete TPM takes seconds for an RSA key, half a minute at worst. */
const ANSWER_MS = 60_000;
const TRIES = 8;
/** How the tools write a response code: `Esys_Unseal(0x99D)`. */
const RESPONSE = /\(0x([0-9A-F]+)\)/;
const BUSY: ReadonlySet<number> = new Set([TPM_RC.retry, TPM_RC.objectMemory, TPM_RC.sessionMemory, TPM_RC.testing, TPM_RC.yielded]);

/**
 * The box's TPM 2.0, by Debian's tpm2-tools: each command is a process of its own. Secrets go in and out by pipes; what lies in the
 * work folder meanwhile (contexts, policies, public parts) is no secret.
 */
export class Tpm {
  readonly #tcti: string;

  /** @param tcti where the TPM is, as TPM2TOOLS_TCTI names it: `device:/dev/tpmrm0` */
  constructor(tcti: string) {
    this.#tcti = tcti;
  }

  /** Does a piece of work with a folder of its own, which is gone afterwards. */
  async work<T>(task: (bench: TpmBench) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'securegate-tpm-'));
    try {
      return await task(new TpmBench(this.#tcti, folder));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** One piece of work: tools that find each other's files by name. */
export class TpmBench {
  readonly #tcti: string;
  readonly #folder: string;

  constructor(tcti: string, folder: string) {
    this.#tcti = tcti;
    this.#folder = folder;
  }

  write(name: string, content: Uint8Array): Promise<void> {
    return writeFile(join(this.#folder, name), content, { mode: 0o600 });
  }

  read(name: string): Promise<Buffer> {
    return readFile(join(this.#folder, name));
  }

  /**
   * Runs a tool until the TPM has time for it.
   * @param input for its standard input
   * @returns what it printed; the caller wipes it if it is a secret
   * @throws {TpmRefusal}
   * @throws {SecureGateError} `tpm_unavailable`
   */
  async run(tool: string, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.#once(tool, args, input);
      } catch (error) {
        if (!(error instanceof TpmRefusal) || !BUSY.has(error.code)) throw error;
        if (tried === TRIES)
          throw unavailable('The TPM is busy for too long', error.message, 'End what else uses it, then try again.', error);
      } finally {
        // Without a resource manager (a TPM in a test) what a tool has loaded would stay, and there is room for three.
        if (LOADING.has(tool)) await this.#once('tpm2_flushcontext', ['-t']).catch(() => undefined);
      }
      await pause(randomInt(50, 250) * tried);
    }
  }

  #once(tool: string, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const env = { PATH: process.env.PATH, TPM2TOOLS_TCTI: this.#tcti };
    const child = spawn(tool, args, { cwd: this.#folder, env, timeout: ANSWER_MS, killSignal: 'SIGKILL' });
    const printed: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('error', (cause) => {
      reject(unavailable(`${tool} cannot be started`, cause.message, 'Install the tools: apt-get install tpm2-tools', cause));
    });
    child.once('close', (code, signal) => {
      const output = unpooled(printed);
      if (code === 0) return resolve(output);
      output.fill(0);
      reject(signal === null ? asTpmError(tool, this.#tcti, said) : silent(tool, signal));
    });
    // A tool that fails early does not read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return promise;
  }
}

/** What was printed can be a secret: it stays in one place. */
function unpooled(chunks: readonly Buffer[]): Buffer {
  const whole = Buffer.alloc(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    at += chunk.copy(whole, at);
    chunk.fill(0);
  }
  return whole;
}

const LOADING: ReadonlySet<string> = new Set([
  'tpm2_create',
  'tpm2_createprimary',
  'tpm2_load',
  'tpm2_readpublic',
  'tpm2_rsadecrypt',
  'tpm2_sign',
  'tpm2_startauthsession',
  'tpm2_unseal',
]);

/** Their password is that of the place which they read or write, not the owner's. */
const GUARDED: ReadonlySet<string> = new Set(['tpm2_nvread', 'tpm2_nvwrite']);

function asTpmError(tool: string, tcti: string, said: string): Error {
  const lines = said.split('\n').filter((line) => line.startsWith('ERROR'));
  const answer = lines.findLast((line) => RESPONSE.test(line)) ?? '';
  const first = lines[0] ?? '';
  if (said.includes('tcti')) {
    if (/busy/i.test(said)) {
      return unavailable('Another program holds the TPM', first, 'Use the device that several can use: device:/dev/tpmrm0');
    }
    if (/permission denied/i.test(said)) {
      return unavailable('This user may not use the TPM', first, 'Add the user of the daemon to the group of the device: tss');
    }
    return unavailable(
      `There is no TPM at ${tcti}`,
      first,
      'Switch it on in the firmware, or correct `lease.tpm.tcti` of the configuration.',
    );
  }
  const code = codeIn(answer);
  if (code === undefined) return unavailable(`${tool} failed`, lines.at(-1) ?? '', 'Look at what it says.');
  if (code === TPM_RC.lockout) {
    return unavailable('The TPM is locked after wrong passwords', answer, 'Wait, or let its owner unlock it: tpm2_dictionarylockout -c');
  }
  if (code === TPM_RC.badAuth && !GUARDED.has(tool)) {
    return unavailable('The TPM has an owner password', answer, 'Let its owner take it away: tpm2_changeauth -c owner');
  }
  if (code === TPM_RC.nvSpace) {
    return unavailable(
      'The TPM has no room for what this box keeps in it',
      answer,
      'Free one that nothing uses: tpm2_nvreadpublic, tpm2_nvundefine',
    );
  }
  // libtpms says so too when it is to decrypt what was encrypted to another key.
  if (code === TPM_RC.failure && tool !== 'tpm2_rsadecrypt') {
    return unavailable('The TPM has failed', answer, 'Switch the machine off and on; if it happens again, the TPM is broken.');
  }
  return new TpmRefusal(tool, code, answer);
}

function silent(tool: string, signal: string): SecureGateError {
  return unavailable('The TPM does not answer', `${tool}: ${signal}`, 'Restart the machine; if it happens again, look at its firmware.');
}

/** Of a format-one code, only what went wrong: not with which parameter, handle or session. */
function codeIn(answer: string): number | undefined {
  const [, hex] = RESPONSE.exec(answer) ?? [];
  if (hex === undefined) return undefined;
  const code = Number.parseInt(hex, 16);
  return (code & 0x80) === 0 ? code : (code & 0x3f) | 0x80;
}

function unavailable(message: string, answer: string, advice: string, cause?: unknown): SecureGateError {
  return new SecureGateError('tpm_unavailable', message, { cause, details: { answer, advice } });
}
