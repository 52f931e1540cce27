import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Without a resource manager before it, a software TPM works for one program at a time: the box may be at it. */
const TRIES = 5;
const ATTRIBUTES = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';

/** Leases in a file, and what the TPM was told to see to before it gives out their key. */
export interface SealedLeases {
  readonly counter: number;
  readonly clock: number;
  readonly resets: number;
  readonly pcrs?: string | undefined;
  readonly public: Buffer;
  readonly private: Buffer;
  /** Envelope. */
  readonly leases: Buffer;
}

/** What was in the way. */
export type TpmRefusals = Record<'load' | 'counter' | 'clock' | 'unseal', number>;

/**
 * Asks the living TPM of a box for the key of kept leases, by tools of its own: it tries every counter that is there, says what it likes of the time, and
 * stops at nothing but the TPM.
 */
export class TpmUnsealing {
  readonly keys: { readonly key: Buffer; readonly sealed: SealedLeases }[] = [];
  readonly refused: TpmRefusals = { load: 0, counter: 0, clock: 0, unseal: 0 };
  readonly #tcti: string;
  #folder = '';

  constructor(tcti: string) {
    this.#tcti = tcti;
  }

  async tryAll(all: readonly SealedLeases[]): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'securegate-unseal-'));
    try {
      for (const sealed of all) {
        const tried = await this.#unseal(sealed);
        if (Buffer.isBuffer(tried)) this.keys.push({ key: tried, sealed });
        else this.refused[tried] += 1;
      }
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  /** @returns the key, or what was in the way */
  async #unseal(sealed: SealedLeases): Promise<Buffer | keyof TpmRefusals> {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(sealed.counter));
    for (const [name, content] of Object.entries({ counter, pub: sealed.public, priv: sealed.private })) {
      await writeFile(join(this.#folder, name), content);
    }
    await this.#tool('tpm2_createprimary', '-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc', '-a', ATTRIBUTES, '-c', 'primary');
    const load = await this.#tool('tpm2_load', '-Q', '-C', 'primary', '-u', 'pub', '-r', 'priv', '-c', 'key').catch(() => undefined);
    if (load === undefined) return 'load';
    let refusal: keyof TpmRefusals = 'counter';
    for (const index of (await this.#tool('tpm2_nvreadpublic')).toString().match(/^0x[0-9a-f]+/gm) ?? []) {
      const tried = await this.#ask(index, sealed);
      if (Buffer.isBuffer(tried)) return tried;
      if (tried !== 'counter') refusal = tried;
    }
    return refusal;
  }

  async #ask(index: string, { clock, resets, pcrs }: SealedLeases): Promise<Buffer | keyof TpmRefusals> {
    const session = ['-S', 'session'];
    let step: keyof TpmRefusals = 'counter';
    await this.#tool('tpm2_startauthsession', '--policy-session', ...session);
    try {
      await this.#tool('tpm2_policynv', ...session, '-i', 'counter', index, 'eq');
      step = 'clock';
      await this.#tool('tpm2_policycountertimer', ...session, '--ult', `clock=${clock}`);
      await this.#tool('tpm2_policycountertimer', ...session, '--ult', `resets=${resets}`);
      step = 'unseal';
      if (pcrs !== undefined) await this.#tool('tpm2_policypcr', ...session, '-l', pcrs);
      return await this.#tool('tpm2_unseal', '-c', 'key', '-p', 'session:session');
    } catch {
      return step;
    } finally {
      await this.#tool('tpm2_flushcontext', 'session');
    }
  }

  async #tool(name: string, ...args: string[]): Promise<Buffer> {
    const env = { ...process.env, TPM2TOOLS_TCTI: this.#tcti };
    for (let tried = 1; ; tried += 1) {
      try {
        return (await promisify(execFile)(name, args, { cwd: this.#folder, env, encoding: 'buffer' })).stdout;
      } catch (error) {
        // What the TPM answers is its last word; that it could not be asked is not.
        if (tried === TRIES || !String((error as { stderr?: Buffer }).stderr).includes('tcti')) throw error;
        await pause(200 * tried);
      } finally {
        if (name !== 'tpm2_flushcontext') await promisify(execFile)('tpm2_flushcontext', ['-t'], { env }).catch(() => undefined);
      }
    }
  }
}
