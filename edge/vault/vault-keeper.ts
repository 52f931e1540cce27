import { join } from 'node:path';
import { z } from 'zod';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import { type LeaseAnswer, leaseAnswerSchema } from '../../shared/lease/lease-answer.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { pause } from '../runtime/pause.ts';
import { KeyringFollowers, type KeyringListener } from './keyring-followers.ts';
import {
  type Figures,
  type Gives,
  LEASE_ENDED_EXIT,
  type LeaseSettings,
  type LeaseView,
  type Operation,
  type OutboxSettings,
  type Takes,
} from './protocol.ts';
import { parseScope } from './scope.ts';
import { type VaultFiles, vaultFiles } from './store/vault-files.ts';
import { VaultProcess } from './vault-process.ts';

export interface VaultClientOptions {
  readonly org: string;
  readonly tenant: string;
  /** The box's own id (`box_…`). */
  readonly box: string;
  readonly dataDir: string;
  /** Folder of the tenants' key files; must lie outside dataDir. */
  readonly keyDir: string;
  /** The tenant's key comes under a lease of a KMS; without this, from a file. */
  readonly lease?: LeaseSettings | undefined;
  /** The control plane hears what is seen here; without this, nobody does. */
  readonly outbox?: OutboxSettings | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** `closed`: its process runs without the tenant's key and waits for a lease. */
export type VaultState = 'starting' | 'ready' | 'closed' | 'failed' | 'stopped';
type StateListener = (state: VaultState, reason: SecureGateError | undefined) => void;

/** Reasons that do not go away by trying again: somebody has to act. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_id',
  'key_file_missing',
  'key_file_unsafe',
  'key_rejected',
  'vault_corrupt',
  'vault_newer',
]);
/** Reasons that go away with a new lease. */
const AWAITS_LEASE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'lease_missing',
  'lease_ended',
  'lease_rejected',
  'lease_rolled_back',
  'lease_cache_failed',
  'not_enrolled',
]);

const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 30_000;
/** A vault that ran for so long has recovered: its next crash counts as the first. */
const STEADY_MS = 60_000;
/** How long a tenant that is to be closed is left open for what its cameras still have to tell. */
const LAST_WORDS_MS = 3000;

/** Where the files of a tenant's vault lie. */
export function tenantFiles(dataDir: string, tenant: string): VaultFiles {
  return vaultFiles(join(dataDir, 'tenants', tenant));
}

/**
 * The life of one tenant's vault as the daemon sees it: a process of its own that is started, spoken to, and started again when it
 * crashes. Under a lease it ends itself with the lease; the one that follows waits for the next.
 */
export abstract class VaultKeeper {
  protected readonly keyring = new KeyringFollowers();
  readonly #options: VaultClientOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<StateListener>();
  readonly #leaveListeners = new Set<() => Promise<void>>();
  readonly #backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS);
  #state: VaultState = 'stopped';
  #reason: SecureGateError | undefined;
  #process: VaultProcess | undefined;
  #stopping = new AbortController();
  #restarting: Promise<void> = Promise.resolve();
  #restarts = 0;
  #readySince = 0;
  /** Why it never starts again. */
  #gone: SecureGateError | undefined;

  constructor(options: VaultClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get state(): VaultState {
    return this.#state;
  }

  /** How often the process was started again: after a crash, a first start that failed, or the end of its lease. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Faces that can be candidates, as of the last answer. */
  get faces(): number {
    return this.#state === 'ready' ? (this.#process?.figures.faces ?? 0) : 0;
  }

  /** Stored records that did not open (changed, swapped, damaged) and take part in nothing, as of the last answer. */
  get rejectedRecords(): number {
    return this.#state === 'ready' ? (this.#process?.figures.rejected ?? 0) : 0;
  }

  /** Whether the disk took the last thing that was to be written, as of the last answer. */
  get writable(): boolean {
    return this.#process?.figures.writable ?? true;
  }

  /** Sightings that wait to be told to the control plane, and those that had no room, ever, as of the last answer. */
  get outbox(): Figures['outbox'] {
    return this.#process?.figures.outbox ?? { items: 0, bytes: 0, dropped: 0 };
  }

  /** Epoch of the tenant key in use, as of the last answer; null while the vault is not open. */
  get epoch(): number | null {
    return this.#state === 'ready' ? (this.#process?.figures.epoch ?? null) : null;
  }

  /** The lease under which the vault is open, as of the last answer; null where there is none. */
  get heldLease(): LeaseView | null {
    return this.#state === 'ready' ? (this.#process?.lease ?? null) : null;
  }

  /** Process id of the vault while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** @returns a function that ends the listening */
  onStateChange(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @returns ends the listening */
  onKeyringChange(listener: KeyringListener): () => void {
    return this.keyring.add(listener);
  }

  /**
   * Starts the process and resolves when it has read its gallery. A first start that fails is tried again by `keepTrying` alone.
   * @throws {SecureGateError} `invalid_id`, `key_file_missing`, `key_file_unsafe`, `key_rejected`, `vault_corrupt`, `vault_newer`,
   * `data_folder_in_use`, `storage_failed`, `tpm_unavailable`, `vault_unavailable` (it crashed), `stopped` (aborted); `lease_missing`,
   * `lease_ended`, `lease_rejected`, `lease_rolled_back`, `lease_cache_failed`, `not_enrolled`: it is closed and waits for `acceptLease`
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#gone) throw this.#gone;
    if (this.#state !== 'stopped' && this.#state !== 'failed') throw new SecureGateError('internal', 'The vault was started twice');
    this.#stopping = new AbortController();
    this.#setState('starting');
    try {
      await this.#open(signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal);
    } catch (error) {
      const reason = SecureGateError.from(error);
      if (AWAITS_LEASE.has(reason.code)) this.#setState('closed', reason);
      else this.#setState(this.#stopping.signal.aborted ? 'stopped' : 'failed', reason);
      throw reason;
    }
  }

  /**
   * After a first start that failed: starts again and again, as after a crash, unless somebody has to act first.
   * @param reason what `start` threw
   */
  keepTrying(reason: SecureGateError): void {
    if (this.#state !== 'failed' || PERMANENT.has(reason.code)) return;
    this.#setState('starting', reason);
    this.#restarting = this.#restart(this.#stopping.signal);
  }

  /** Lets the vault finish what it has begun, then ends its process. */
  async stop(): Promise<void> {
    await this.#end();
    this.#setState('stopped');
  }

  /**
   * Gives the vault the answer to its request. A vault that was closed is open when this resolves.
   * @throws {SecureGateError} `lease_rejected`, `lease_cache_failed`, and those of `start` where the vault was closed
   */
  async acceptLease(answer: LeaseAnswer): Promise<LeaseView> {
    const process = this.#running;
    const lease = await process.call('acceptLease', { answer: z.encode(leaseAnswerSchema, answer) });
    if (process === this.#process && this.#state === 'closed') this.#becomeReady(process);
    return lease;
  }

  /** Listeners are asked for their last words before the tenant's key is forgotten. @returns ends the listening */
  onLeave(listener: () => Promise<void>): () => void {
    this.#leaveListeners.add(listener);
    return () => void this.#leaveListeners.delete(listener);
  }

  /** Forgets the tenant's key wherever this box holds it and ends the process, for a reason that does not pass. */
  async revoke(reason: SecureGateError): Promise<void> {
    if (this.#state === 'ready') await this.#takeLastWords();
    try {
      await this.ask('forgetLease', {});
    } finally {
      await this.#end();
      this.#setState('failed', reason);
    }
  }

  /**
   * Ends the tenant's process at once and removes everything of the tenant from the disk; this vault never starts again.
   * @param note is told what there is to remove, before anything is
   * @throws {SecureGateError} `lease_cache_failed`, `tpm_unavailable`, `storage_failed`: something is left; it can be asked for again
   */
  async shred(note: (found: Removed) => void): Promise<void> {
    const gone = new SecureGateError('tenant_shredded', 'This tenant was shredded');
    this.#gone = gone;
    this.#process?.kill();
    await this.#end();
    this.#setState('stopped', gone);
    const process = new VaultProcess(this.#clock, () => undefined);
    try {
      process.start();
      note(await process.call('countTraces', this.#place));
      await process.call('shred', this.#place);
    } finally {
      await process.stop();
    }
  }

  protected async call<O extends Operation>(operation: O, input: Takes<O>): Promise<Gives<O>> {
    if (this.#state === 'closed' && this.#reason) throw this.#reason;
    const process = this.#process;
    if (this.#state !== 'ready' || !process) throw new SecureGateError('vault_unavailable', 'The vault is not ready');
    try {
      return await process.call(operation, input);
    } finally {
      this.keyring.look(process.figures);
    }
  }

  /** Asks the process, also while the vault is closed. */
  protected async ask<O extends Operation>(operation: O, input: Takes<O>): Promise<Gives<O>> {
    return await this.#running.call(operation, input);
  }

  protected get files(): VaultFiles {
    const { dataDir, tenant } = this.#options;
    return tenantFiles(dataDir, tenant);
  }

  get #running(): VaultProcess {
    if (!this.#process) throw new SecureGateError('vault_unavailable', 'The vault is not running');
    return this.#process;
  }

  /** What the process has to know. */
  get #place(): Takes<'open'> {
    const { org, tenant, box, dataDir, keyDir, lease, outbox, logger } = this.#options;
    return { scope: { org, tenant, box }, dataDir, keyDir, lease, outbox, logLevel: logger.level };
  }

  /** Who has none in time does not keep the key here. */
  async #takeLastWords(): Promise<void> {
    const done = new AbortController();
    void Promise.allSettled(Array.from(this.#leaveListeners, (listener) => listener())).then(() => done.abort());
    await pause(LAST_WORDS_MS, done.signal);
  }

  async #open(signal: AbortSignal): Promise<void> {
    // The vault checks the ids itself; here it saves a process for ids that it would refuse.
    parseScope(this.#place.scope);
    if (signal.aborted) throw aborted();
    const process = new VaultProcess(this.#clock, (code) => this.#exited(process, code));
    this.#process = process;
    const kill = (): void => process.kill();
    signal.addEventListener('abort', kill);
    try {
      process.start();
      await process.call('open', this.#place);
    } catch (error) {
      // One that lacks a lease is spoken to until it has one.
      if (AWAITS_LEASE.has(SecureGateError.from(error).code) && !signal.aborted) throw error;
      this.#process = undefined;
      await process.stop();
      throw signal.aborted ? aborted(error) : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
    this.#becomeReady(process);
  }

  #becomeReady({ figures }: VaultProcess): void {
    this.#readySince = this.#clock.monotonic();
    this.keyring.begin(figures);
    this.#setState('ready');
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    const process = this.#process;
    this.#process = undefined;
    await this.#restarting;
    await process?.stop();
  }

  #exited(process: VaultProcess, code: number | null): void {
    if (process !== this.#process || (this.#state !== 'ready' && this.#state !== 'closed')) return;
    if (this.#clock.monotonic() - this.#readySince >= STEADY_MS) this.#backOff.reset();
    const { logger, tenant } = this.#options;
    if (code === LEASE_ENDED_EXIT) {
      logger.error({ tenant }, 'the lease has ended, and with it the vault: it is closed until a new one comes');
      this.#setState('closed', new SecureGateError('lease_ended', 'The lease of this tenant has ended'));
    } else {
      logger.error({ tenant, restarts: this.#restarts }, 'the vault ended unexpectedly and is started again');
      this.#setState('starting', new SecureGateError('vault_unavailable', 'The vault ended unexpectedly'));
    }
    this.#restarting = this.#restart(this.#stopping.signal);
  }

  async #restart(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#backOff.next(), signal);
      if (signal.aborted) return;
      this.#restarts += 1;
      try {
        return await this.#open(signal);
      } catch (error) {
        if (signal.aborted) return;
        const reason = SecureGateError.from(error);
        if (AWAITS_LEASE.has(reason.code)) return this.#setState('closed', this.#why(reason));
        this.#options.logger.error({ err: reason, code: reason.code, tenant: this.#options.tenant }, 'the vault does not start again');
        if (PERMANENT.has(reason.code)) return this.#setState('failed', reason);
      }
    }
  }

  /** A process that follows the one whose lease ended knows of no lease; whoever asks why is told what happened. */
  #why(reason: SecureGateError): SecureGateError {
    return reason.code === 'lease_missing' && this.#reason?.code === 'lease_ended' ? this.#reason : reason;
  }

  #setState(state: VaultState, reason?: SecureGateError): void {
    if (state === this.#state && reason?.code === this.#reason?.code) return;
    this.#state = state;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(state, reason);
  }
}

function aborted(cause?: unknown): SecureGateError {
  return new SecureGateError('stopped', 'The start of the vault was aborted', { cause });
}
