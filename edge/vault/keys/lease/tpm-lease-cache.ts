import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { bytesSchema } from '../../../../shared/lease/lease-answer.ts';
import { SerialWork } from '../../../../shared/runtime/serial-work.ts';
import { syncFolder } from '../../../runtime/sync-folder.ts';
import { createPrimary, PRIMARY } from '../../../runtime/tpm/create-primary.ts';
import { NvCounter } from '../../../runtime/tpm/nv-counter.ts';
import { readTpmClock } from '../../../runtime/tpm/read-tpm-clock.ts';
import type { Tpm, TpmBench } from '../../../runtime/tpm/tpm.ts';
import { TPM_RC, TpmRefusal } from '../../../runtime/tpm/tpm-refusal.ts';
import { withSession } from '../../../runtime/tpm/with-session.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import { type LeaseBundle, newBundleKey, openBundle, sealBundle, takeLease, wipeBundle } from './lease-bundle.ts';
import type { HeldLease, LeaseCache } from './lease-cache.ts';
import { POLICY, runLeasePolicy } from './lease-policy.ts';
import type { TrustedTime } from './trusted-time.ts';

/** A TPM's clock may be wrong by 15 % (TPM 2.0 Library, Part 1, 36.3): a fast one must not end a lease before its time. */
const CLOCK_TOLERANCE = 1.2;
/** Starts of the machine between two leases. Each by a cut of the power can hide up to 70 minutes from the TPM's clock. */
const MOST_RESETS = 16;

const sealedSchema = z.strictObject({
  version: z.literal(1),
  counter: z.int().min(1),
  clock: z.int().min(0),
  resets: z.int().min(0),
  pcrs: z.string().optional(),
  /** When the last of the leases ends, milliseconds since the Unix epoch. */
  until: z.int(),
  /** The sealed key, as the TPM gives it out. */
  public: bytesSchema,
  private: bytesSchema,
  /** The leases, under that key. */
  leases: bytesSchema,
});
type Sealed = z.output<typeof sealedSchema>;

export interface TpmLeaseCacheOptions {
  readonly org: string;
  readonly tenant: string;
  /** `box_…` */
  readonly device: string;
  /** Must be there; belongs to this cache alone. */
  readonly folder: string;
  readonly tpm: Tpm;
  /** `sha256:0,7`: the leases open only on a box that was started with the same software. */
  readonly pcrs?: string | undefined;
  readonly time: TrustedTime;
}

/**
 * Leases in a file whose key the box's TPM seals (TPM 2.0 Library, Part 3: TPM2_Create with a policy). The TPM gives the key back
 * only while all of this holds, which no program can talk it out of:
 *
 * - It is the same TPM, not cleared since: a copied disk opens nothing elsewhere.
 * - This tenant's counter in the TPM has the value that was sealed in. Each save and each `forget` increments it, so an older image of the disk opens
 *   nothing, and a TPM that was put back, as only a virtual one can be, does not fit the newer disk. (Put back together with its disk,
 *   a virtual TPM cannot tell: a snapshot of a virtual machine is the machine.)
 * - Its own clock has not come further than the lease is long, and the machine was not started more than 16 times since. This is
 *   for whoever keeps the disk and its high-water mark as they were, sets the machine's clock back and starts the box again and again under the
 *   same lease: a disk that is put back does not put this clock back. It goes only with power, so it counts hours of use, not of storage, and
 *   after a cut of the power it may have lost up to 70 minutes, which is why the starts are counted too. In all, who holds the box and its
 *   clock gets at most 1.2 times the lease and 16 times 70 minutes of use.
 * - With `pcrs`: the box was started with the same firmware and system. Without them, whoever takes a box that is still under its lease
 *   can start his own system on it and have the TPM open the lease, also days later if he kept the power off. With them, only
 *   this program can, and this program looks at the time.
 *
 * A save writes the new file first, for the counter's next value and beside the present one, and increments then: whenever the power goes,
 * one of the two files fits the counter. Who cuts it in just that moment and keeps the file has one lease that the box does not know of, until that lease's
 * own end; a `forget` increments twice, which closes that file as well.
 *
 * Wear: one write of the TPM's memory a save and two a `forget`, so three or four a day with leases of 24 hours; such memory is good for 100,000.
 */
export class TpmLeaseCache implements LeaseCache {
  readonly enforcement = 'tpm';
  readonly #options: TpmLeaseCacheOptions;
  readonly #counter: NvCounter;
  readonly #work = new SerialWork();

  constructor(options: TpmLeaseCacheOptions) {
    this.#options = options;
    const { org, tenant, device } = options;
    const owner = JSON.stringify(['securegate/v1/lease-counter', org, tenant, device]);
    this.#counter = new NvCounter(createHash('sha256').update(owner).digest());
  }

  /** @throws {SecureGateError} also `tpm_unavailable` */
  load(epoch: number): Promise<HeldLease | undefined> {
    return this.#do(async (bench) => takeLease(await this.#read(bench), epoch));
  }

  /** @throws {SecureGateError} also `tpm_unavailable` */
  save(epoch: number, lease: HeldLease): Promise<void> {
    return this.#do(async (bench) => {
      const bundle = await this.#readIfItOpens(bench);
      const earlier = bundle.get(epoch);
      try {
        await this.#write(bench, new Map(bundle).set(epoch, lease));
      } finally {
        earlier?.tek.fill(0);
        wipeBundle(bundle);
      }
    });
  }

  /** @throws {SecureGateError} also `tpm_unavailable` */
  async forget(before = Number.POSITIVE_INFINITY): Promise<void> {
    // A box without leases here needs no TPM to forget them.
    if (!this.#slots().some((slot) => existsSync(slot))) return;
    await this.#do(async (bench) => {
      const bundle = before === Number.POSITIVE_INFINITY ? new Map() : await this.#readIfItOpens(bench);
      try {
        const kept: LeaseBundle = new Map([...bundle].filter(([epoch]) => epoch >= before));
        if (kept.size === 0) return await this.#removeAll(bench);
        if (kept.size === bundle.size) return;
        await this.#write(bench, kept);
        await this.#write(bench, kept);
      } finally {
        wipeBundle(bundle);
      }
    });
  }

  #do<T>(task: (bench: TpmBench) => Promise<T>): Promise<T> {
    return this.#work.run(async () => {
      try {
        return await this.#options.tpm.work(task);
      } catch (error) {
        throw SecureGateError.from(error, 'lease_cache_failed');
      }
    });
  }

  async #readIfItOpens(bench: TpmBench): Promise<LeaseBundle> {
    try {
      return await this.#read(bench);
    } catch (error) {
      // The new lease is what helps; a TPM that does not answer would not take it either.
      if (error instanceof SecureGateError && error.code !== 'tpm_unavailable') return new Map();
      throw error;
    }
  }

  async #read(bench: TpmBench): Promise<LeaseBundle> {
    const kept = this.#slots().flatMap((slot) => (existsSync(slot) ? [parse(slot)] : []));
    if (kept.length === 0) return new Map();
    const index = await this.#counter.find(bench);
    if (index === undefined) throw foreign();
    const counter = await this.#counter.read(bench, index);
    const live = kept.find((sealed) => sealed.counter === counter);
    if (!live) throw rolledBack(counter, kept);
    try {
      return await this.#unseal(bench, index, live);
    } catch (error) {
      // What the TPM shuts because the lease is over is no attack.
      if (error instanceof SecureGateError && error.code === 'lease_rolled_back' && live.until <= this.#options.time.now())
        return new Map();
      throw error;
    }
  }

  async #unseal(bench: TpmBench, index: string, sealed: Sealed): Promise<LeaseBundle> {
    await bench.write('key.pub', sealed.public);
    await bench.write('key.priv', sealed.private);
    await createPrimary(bench);
    try {
      await bench.run('tpm2_load', ['-Q', '-C', PRIMARY, '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx']);
    } catch (error) {
      throw error instanceof TpmRefusal ? foreign(error) : error;
    }
    const key = await withSession(bench, 'policy', async (session) => {
      await runLeasePolicy(bench, session, index, sealed, {
        counter: () => rolledBack(sealed.counter, [sealed]),
        clock: () => new SecureGateError('lease_rolled_back', 'More time has passed in the TPM than on this box: its time was set back'),
        resets: () => new SecureGateError('lease_cache_failed', `The box was started more than ${MOST_RESETS} times under one lease`),
      });
      try {
        return await bench.run('tpm2_unseal', ['-c', 'key.ctx', '-p', `session:${session}`]);
      } catch (error) {
        throw error instanceof TpmRefusal && error.code === TPM_RC.policyFail ? changed(sealed.pcrs, error) : error;
      }
    });
    try {
      return openBundle(key, this.#context(sealed.counter), sealed.leases);
    } catch (error) {
      throw changed(undefined, error);
    } finally {
      key.fill(0);
    }
  }

  async #write(bench: TpmBench, bundle: LeaseBundle): Promise<void> {
    const { time, pcrs } = this.#options;
    const index = await this.#counter.provide(bench);
    const counter = (await this.#counter.read(bench, index)) + 1;
    const clock = await readTpmClock(bench);
    const until = Math.max(...[...bundle.values()].map(({ token }) => (decodeJwt(token).exp ?? 0) * 1000));
    const leftMs = Math.max(0, until - time.now());
    const policy = {
      counter,
      clock: clock.ms + Math.ceil(leftMs * CLOCK_TOLERANCE),
      resets: clock.resets + MOST_RESETS + 1,
      ...(pcrs === undefined ? {} : { pcrs }),
    };
    await createPrimary(bench);
    await withSession(bench, 'trial', (session) => runLeasePolicy(bench, session, index, policy));
    const key = newBundleKey();
    try {
      await withSession(bench, 'hmac', (session) => {
        const args = ['-Q', '-C', PRIMARY, '-P', `session:${session}`, '-i', '-', '-L', POLICY, '-a', 'fixedtpm|fixedparent|noda'];
        return bench.run('tpm2_create', [...args, '-u', 'key.pub', '-r', 'key.priv'], key);
      });
      const sealed: Sealed = {
        version: 1,
        ...policy,
        until,
        public: await bench.read('key.pub'),
        private: await bench.read('key.priv'),
        leases: sealBundle(key, this.#context(counter), bundle),
      };
      writeFileDurably(this.#slot(counter), Buffer.from(JSON.stringify(sealedSchema.encode(sealed))));
    } finally {
      key.fill(0);
    }
    await this.#counter.increment(bench, index);
    rmSync(this.#slot(counter - 1), { force: true });
  }

  /** The counter first: without it, no copy of the files opens any more. */
  async #removeAll(bench: TpmBench): Promise<void> {
    await this.#counter.remove(bench);
    for (const slot of this.#slots()) rmSync(slot, { force: true });
    syncFolder(this.#options.folder);
  }

  /** The present file and the next one never have the same name. */
  #slot(counter: number): string {
    return join(this.#options.folder, `tpm-${counter % 2}.json`);
  }

  #slots(): string[] {
    return [this.#slot(0), this.#slot(1)];
  }

  #context(counter: number): { org: string; tenant: string; record: string } {
    const { org, tenant, device } = this.#options;
    return { org, tenant, record: `${device}/${counter}` };
  }
}

function parse(slot: string): Sealed {
  try {
    return sealedSchema.decode(JSON.parse(readFileSync(slot, 'utf8')));
  } catch (cause) {
    throw new SecureGateError('lease_cache_failed', 'The kept leases cannot be read', { cause, details: { file: slot } });
  }
}

function rolledBack(counter: number, kept: readonly Sealed[]): SecureGateError {
  const newest = Math.max(...kept.map((sealed) => sealed.counter));
  const message = newest < counter ? 'An older state of the disk was put back' : 'An older state of the TPM was put back';
  return new SecureGateError('lease_rolled_back', message, { details: { counter, newest } });
}

function foreign(cause?: unknown): SecureGateError {
  const message = 'This TPM did not seal the kept leases: they come from another box, are damaged, or the TPM was cleared';
  return new SecureGateError('lease_cache_failed', message, { cause });
}

function changed(pcrs: string | undefined, cause: unknown): SecureGateError {
  const message =
    pcrs === undefined
      ? 'The kept leases were changed'
      : 'The box was started with other firmware or another system than when it got its lease';
  return new SecureGateError('lease_cache_failed', message, { cause, details: pcrs === undefined ? {} : { pcrs } });
}
