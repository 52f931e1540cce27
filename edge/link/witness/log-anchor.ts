import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { logTokenSchema } from '../../../shared/audit/log-tokens.ts';
import { hkdfSha256 } from '../../../shared/crypto/hkdf-sha256.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { defineNvIndex, findNvIndex, removeNvIndex } from '../../runtime/tpm/nv-indices.ts';
import type { Tpm, TpmBench } from '../../runtime/tpm/tpm.ts';
import { TPM_RC, TpmRefusal } from '../../runtime/tpm/tpm-refusal.ts';

/** Every TPM writes as much at once: the power cannot go in the middle. */
const BYTES = 512;
/** A TPM's memory is good for 100,000 writes of one place: eleven years. */
const WRITE_EVERY_MS = 3_600_000;
const PASSWORD_BYTES = 32;
const LABEL = 'securegate/v1/log-anchor';

const NOT_OURS: ReadonlySet<number> = new Set([TPM_RC.badAuth, TPM_RC.nvAccess, TPM_RC.nvUnwritten]);

const heldSchema = z.strictObject({ at: z.int(), head: logTokenSchema });

export interface LogAnchorOptions {
  readonly tpm: Tpm;
  /** `box_…` */
  readonly device: string;
  /** That of the certificate of the box. */
  readonly key: KeyObject;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/**
 * A head of the log in the TPM of the box, where nobody puts it back together with the disk. It is at most an hour older than the one on the
 * disk, for the TPM's memory wears out: what was signed within that hour is on the disk alone.
 *
 * Its place is read and written by a password that follows from the key of the box's certificate, and by nothing else. The owner of the TPM can remove it and
 * make another one, which does not have that password.
 */
export class LogAnchor {
  readonly #options: LogAnchorOptions;
  readonly #mark: Buffer;

  constructor(options: LogAnchorOptions) {
    this.#options = options;
    const { device, key } = options;
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    // A box that has left its org and enrols anew, with another key, does not find what it held before.
    this.#mark = createHash('sha256')
      .update(JSON.stringify([LABEL, device]))
      .update(publicKey)
      .digest();
  }

  /** @returns the head; undefined where there is none that this box wrote @throws {SecureGateError} `tpm_unavailable`, `storage_failed` */
  async held(): Promise<string | undefined> {
    return (await this.#do((bench) => this.#read(bench)))?.head;
  }

  /** Holds a head, unless another one was held within the last hour. @throws {SecureGateError} `tpm_unavailable`, `storage_failed` */
  async hold(head: string): Promise<void> {
    await this.#do(async (bench) => {
      const at = this.#options.now();
      const before = await this.#read(bench);
      if (before && before.at <= at && at < before.at + WRITE_EVERY_MS) return;
      const content = Buffer.alloc(BYTES, ' ');
      const text = JSON.stringify({ at, head });
      if (content.write(text) < text.length) throw new RangeError('The head has no room in the TPM');
      await bench.write('head', content);
      const index = await this.#provide(bench, before === undefined);
      await this.#guarded(bench, 'tpm2_nvwrite', [index, '-i', 'head']);
    });
  }

  /** The box has left: it holds nothing any more. @throws {SecureGateError} `tpm_unavailable`, `storage_failed` */
  async forget(): Promise<void> {
    await this.#do((bench) => removeNvIndex(bench, this.#mark));
  }

  async #read(bench: TpmBench): Promise<z.output<typeof heldSchema> | undefined> {
    const index = await findNvIndex(bench, this.#mark);
    if (index === undefined) return undefined;
    try {
      const content = await this.#guarded(bench, 'tpm2_nvread', [index, '-s', String(BYTES)]);
      return heldSchema.parse(JSON.parse(content.toString('latin1')));
    } catch (error) {
      // Made by somebody else, or not written yet: the power went when this box had made it.
      if (error instanceof TpmRefusal && NOT_OURS.has(error.code)) return undefined;
      throw error;
    }
  }

  async #provide(bench: TpmBench, anew: boolean): Promise<string> {
    if (anew) await removeNvIndex(bench, this.#mark);
    const present = await findNvIndex(bench, this.#mark);
    if (present !== undefined) return present;
    const password = this.#password();
    try {
      return await defineNvIndex(bench, this.#mark, { kind: 'guarded', bytes: BYTES, password });
    } finally {
      password.fill(0);
    }
  }

  async #guarded(bench: TpmBench, tool: string, args: readonly string[]): Promise<Buffer> {
    const password = this.#password();
    try {
      return await bench.run(tool, [...args, '-P', 'file:-'], password);
    } finally {
      password.fill(0);
    }
  }

  /** As the tools read it. */
  #password(): Buffer {
    const key = this.#options.key.export({ type: 'pkcs8', format: 'der' });
    const bytes = hkdfSha256(key, Buffer.alloc(0), LABEL, PASSWORD_BYTES);
    key.fill(0);
    const text = Buffer.alloc('hex:'.length + 2 * PASSWORD_BYTES, 'hex:');
    for (const [at, byte] of bytes.entries()) text.write(byte.toString(16).padStart(2, '0'), 'hex:'.length + 2 * at);
    bytes.fill(0);
    return text;
  }

  async #do<T>(task: (bench: TpmBench) => Promise<T>): Promise<T> {
    try {
      return await this.#options.tpm.work(task);
    } catch (error) {
      throw SecureGateError.from(error, 'storage_failed');
    }
  }
}
