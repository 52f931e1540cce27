import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { BackOff } from '../runtime/back-off.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { pause } from '../runtime/pause.ts';
import type { Gives, Operation, Takes } from './protocol.ts';
import { parseScope } from './scope.ts';
import { VaultProcess } from './vault-process.ts';

export interface VaultClientOptions {
  readonly org: string;
  readonly tenant: string;
  /** The box's own id (`box_…`). */
  readonly box: string;
  readonly dataDir: string;
  /** Folder of the tenants' key files; must lie outside dataDir. */
  readonly keyDir: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export type VaultState = 'starting' | 'ready' | 'failed' | 'stopped';
/** Hears of a customer whose consent was withdrawn, or who was removed. */
export type GoneListener = (customerId: string) => void;
export type StateListener = (state: VaultState, reason: SecureGateError | undefined) => void;

export type Enrolment = Takes<'enrolCustomer'>;
export type Face = Takes<'addFace'>['face'];
export type Consent = Takes<'recordConsent'>['consent'];
export type Candidate = Gives<'search'>[number][number];
export type CustomerView = Gives<'changeProfile'>;
export type CustomerDetails = Gives<'getCustomer'>;
export type ProfileChange = Takes<'changeProfile'>['change'];
export type CustomersQuery = Takes<'listCustomers'>;
export type SightingsQuery = Takes<'listSightings'>;
export type UsageDay = Gives<'usage'>[number];

/** One page of a list. `next` is the cursor of the following page, null at the end; a page before it can hold less than was asked for. */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

/** A record of the venue. `data` is what the caller gave; he checks it by his own schema. */
export interface VaultRecord {
  readonly id: string;
  readonly version: number;
  /** Whom it is about; null for a record about nobody. */
  readonly customerId: string | null;
  readonly data: unknown;
}

/** Reasons that do not go away by trying again: somebody has to act. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_id',
  'key_file_missing',
  'key_file_unsafe',
  'key_rejected',
  'vault_corrupt',
  'vault_newer',
]);

const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 30_000;
/** A vault that ran for so long has recovered: its next crash counts as the first. */
const STEADY_MS = 60_000;

/**
 * One tenant's vault as the daemon sees it: a process of its own that is started, spoken to, and started again when it
 * crashes. Neither keys nor stored embeddings ever come to this side.
 *
 * Every operation can also fail with `vault_unavailable` (not ready, or it ended before it answered; a write may then
 * have happened or not), `overloaded` and `invalid_request`.
 */
export class VaultClient {
  readonly #options: VaultClientOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<StateListener>();
  readonly #goneListeners = new Set<GoneListener>();
  readonly #backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS);
  #state: VaultState = 'stopped';
  #process: VaultProcess | undefined;
  #stopping = new AbortController();
  #restarting: Promise<void> = Promise.resolve();
  #restarts = 0;
  #readySince = 0;

  constructor(options: VaultClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get state(): VaultState {
    return this.#state;
  }

  /** How often the process was started again, after a crash or a first start that failed. */
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
  onGone(listener: GoneListener): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /**
   * Starts the process and resolves when it has read its gallery. A first start that fails is tried again by `keepTrying` alone.
   * @throws {SecureGateError} `invalid_id`, `key_file_missing`, `key_file_unsafe`, `key_rejected`, `vault_corrupt`, `vault_newer`,
   * `data_folder_in_use`, `storage_failed`, `vault_unavailable` (it crashed), `stopped` (aborted)
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'ready') throw new SecureGateError('internal', 'The vault was started twice');
    this.#stopping = new AbortController();
    this.#setState('starting');
    try {
      await this.#open(signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal);
    } catch (error) {
      const reason = SecureGateError.from(error);
      this.#setState(this.#stopping.signal.aborted ? 'stopped' : 'failed', reason);
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
    this.#stopping.abort();
    const process = this.#process;
    this.#process = undefined;
    await this.#restarting;
    await process?.stop();
    this.#setState('stopped');
  }

  /**
   * Stores a customer with consent and faces (or none yet), whole or not at all; on the disk when it resolves.
   * @throws {SecureGateError} `conflict` (there is or was a customer of this id), `consent_missing`, `consent_expired`, `storage_failed`
   */
  enrolCustomer(enrolment: Enrolment): Promise<Gives<'enrolCustomer'>> {
    return this.#call('enrolCustomer', enrolment);
  }

  /**
   * Customers, the newest first. `query` keeps those in whose name each of its words occurs, whatever its case and accents.
   * Customers whose records do not open are left out; the vault's log names them.
   */
  listCustomers(query: CustomersQuery): Promise<Page<CustomerView>> {
    return this.#call('listCustomers', query);
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  getCustomer(customerId: string): Promise<CustomerDetails> {
    return this.#call('getCustomer', { customerId });
  }

  /** Names by the customers' ids. Customers who are gone are left out, and those whose records do not open; the vault's log names these. */
  async customerNames(customerIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const named = await this.#call('customerNames', { customerIds: [...customerIds] });
    return new Map(named.map(({ customerId, name }) => [customerId, name]));
  }

  /**
   * Changes what is named; a contact of null is taken away.
   * @param version that of the customer on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `customer_not_found`, `version_conflict`, `envelope_rejected`, `storage_failed`
   */
  changeProfile(customerId: string, change: ProfileChange, version?: number): Promise<CustomerView> {
    return this.#call('changeProfile', { customerId, change, version });
  }

  /**
   * From then on the new consent counts alone.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed`
   */
  async recordConsent(customerId: string, consent: Consent): Promise<void> {
    await this.#call('recordConsent', { customerId, consent });
  }

  /**
   * From then on the customer is never a candidate, and nobody in view is called by his name any more, until a new consent is recorded. His records are kept.
   * A consent that was withdrawn before stays so.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing` (there is none), `envelope_rejected`, `storage_failed`
   */
  async withdrawConsent(customerId: string): Promise<void> {
    await this.#call('withdrawConsent', { customerId });
    this.#tellGone(customerId);
  }

  /**
   * Removes a customer with everything about him: first his key, so that nothing of him opens any more, then faces,
   * consents, sightings and records. Begun, it is finished even if the box loses power in between.
   * @throws {SecureGateError} `customer_not_found`, `version_conflict`, `storage_failed`
   */
  async removeCustomer(customerId: string, version?: number): Promise<void> {
    await this.#call('removeCustomer', { customerId, version });
    this.#tellGone(customerId);
  }

  /** @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed` */
  addFace(customerId: string, face: Face): Promise<Gives<'addFace'>> {
    return this.#call('addFace', { customerId, face });
  }

  /** @throws {SecureGateError} `customer_not_found`, `record_not_found`, `storage_failed` */
  async removeFace(customerId: string, faceId: string): Promise<void> {
    await this.#call('removeFace', { customerId, faceId });
  }

  /**
   * Picture of an enrolled face (JPEG), as it was given.
   * @throws {SecureGateError} `customer_not_found`, `record_not_found` (no such face, or without a picture), `envelope_rejected`
   */
  facePicture(customerId: string, faceId: string): Promise<Buffer> {
    return this.#call('facePicture', { customerId, faceId });
  }

  /**
   * For each embedding (512 numbers, L2-normalised) the `limit` most similar customers whose consent holds, best first,
   * each with his most similar face. Faces of other models are never compared.
   */
  search(query: { embeddings: Float32Array[]; model: string; limit: number }): Promise<Candidate[][]> {
    return this.#call('search', query);
  }

  /**
   * Compares an embedding (512 numbers, L2-normalised) with one customer's own faces of this model, whoever else looks more alike.
   * `score`: cosine similarity with the nearest of them, -1..1.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `record_not_found` (he has no face of
   * this model), `envelope_rejected`
   */
  verify(query: Takes<'verify'>): Promise<Gives<'verify'>> {
    return this.#call('verify', query);
  }

  /**
   * Keeps a sighting: that of a customer under his key; of people who matched nobody only what the sighting says, which holds
   * nothing of the face. Reported again under the same id, the later report counts.
   * @throws {SecureGateError} `customer_not_found`, `envelope_rejected`, `storage_failed`
   */
  async recordSighting(sighting: Sighting): Promise<void> {
    await this.#call('recordSighting', sighting);
  }

  /**
   * Sightings, the last recorded first. `from` (included) and `to` (not included) are compared with `endedAt`.
   * One page looks at a limited number of sightings, so it can hold few or none although more follow: `next` tells.
   */
  listSightings(query: SightingsQuery): Promise<Page<Sighting>> {
    return this.#call('listSightings', query);
  }

  /**
   * From now on, sightings are kept for so many days (UTC), the present one among them. Older ones are listed no more and are
   * removed from the disk, a few at a time. A vault that has not been told keeps all: it has to be told whenever it opens.
   */
  async keepSightings(days: number): Promise<void> {
    await this.#call('keepSightings', { days });
  }

  /**
   * Adds a record of the caller's own kind.
   * @param data checked by the caller, JSON of at most 64 KiB
   * @param about `customerId`: whom the record is about; then it is sealed under his key and goes with him
   * @throws {SecureGateError} `conflict` (there is a record of this id), `customer_not_found`, `storage_failed`
   */
  addRecord(
    kind: string,
    data: object,
    about: { id?: string | undefined; customerId?: string | undefined } = {},
  ): Promise<{ id: string; version: number }> {
    return this.#call('addRecord', { kind, json: JSON.stringify(data), ...about });
  }

  /** @throws {SecureGateError} `record_not_found`, `envelope_rejected` */
  async getRecord(kind: string, id: string): Promise<VaultRecord> {
    return opened(await this.#call('getRecord', { kind, id }));
  }

  /** Records of one kind, the newest first. Those that do not open are left out; the vault's log names them. */
  async listRecords(kind: string, page: { cursor?: string | undefined; limit: number }): Promise<Page<VaultRecord>> {
    const { items, next } = await this.#call('listRecords', { kind, ...page });
    return { items: items.map(opened), next };
  }

  /**
   * Replaces a record's data.
   * @param version that of the record on which the change is based; without it the change is made in any case
   * @param customerId whom the new data is about: a record stays with the customer for whom it was made, or with nobody
   * @throws {SecureGateError} `record_not_found`, `version_conflict`, `conflict` (another customer), `envelope_rejected`, `storage_failed`
   */
  changeRecord(kind: string, id: string, data: object, version?: number, customerId?: string): Promise<{ id: string; version: number }> {
    return this.#call('changeRecord', { kind, id, json: JSON.stringify(data), version, customerId });
  }

  /** @throws {SecureGateError} `record_not_found`, `version_conflict`, `storage_failed` */
  async removeRecord(kind: string, id: string, version?: number): Promise<void> {
    await this.#call('removeRecord', { kind, id, version });
  }

  /** Adds to a counter of today (UTC). Counts reach the disk some seconds later: a crash can lose these, never more. */
  async count(counter: string, by = 1): Promise<void> {
    await this.#call('count', { counter, by });
  }

  /** Counters of the days (UTC, `2026-11-21`) from `from` to `to`, both included, that counted anything; oldest first. */
  usage(range: { from: string; to: string }): Promise<UsageDay[]> {
    return this.#call('usage', range);
  }

  async #call<O extends Operation>(operation: O, input: Takes<O>): Promise<Gives<O>> {
    if (this.#state !== 'ready' || !this.#process) throw new SecureGateError('vault_unavailable', 'The vault is not ready');
    return this.#process.call(operation, input);
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { org, tenant, box, dataDir, keyDir, logger } = this.#options;
    // The vault checks the ids itself; here it saves a process for ids that it would refuse.
    const scope = parseScope({ org, tenant, box });
    if (signal.aborted) throw aborted();
    const process = new VaultProcess(() => this.#exited(process));
    this.#process = process;
    const kill = (): void => process.kill();
    signal.addEventListener('abort', kill);
    try {
      process.start();
      await process.call('open', { scope, dataDir, keyDir, logLevel: logger.level });
    } catch (error) {
      this.#process = undefined;
      await process.stop();
      throw signal.aborted ? aborted(error) : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
    this.#readySince = this.#clock.monotonic();
    this.#setState('ready');
  }

  #exited(process: VaultProcess): void {
    if (process !== this.#process || this.#state !== 'ready') return;
    if (this.#clock.monotonic() - this.#readySince >= STEADY_MS) this.#backOff.reset();
    const reason = new SecureGateError('vault_unavailable', 'The vault ended unexpectedly');
    this.#options.logger.error(
      { tenant: this.#options.tenant, restarts: this.#restarts },
      'the vault ended unexpectedly and is started again',
    );
    this.#setState('starting', reason);
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
        this.#options.logger.error({ err: reason, code: reason.code, tenant: this.#options.tenant }, 'the vault does not start again');
        if (PERMANENT.has(reason.code)) return this.#setState('failed', reason);
      }
    }
  }

  #tellGone(customerId: string): void {
    for (const listener of this.#goneListeners) listener(customerId);
  }

  #setState(state: VaultState, reason?: SecureGateError): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state, reason);
  }
}

function opened({ json, ...record }: Gives<'getRecord'>): VaultRecord {
  return { ...record, data: JSON.parse(json) };
}

function aborted(cause?: unknown): SecureGateError {
  return new SecureGateError('stopped', 'The start of the vault was aborted', { cause });
}
