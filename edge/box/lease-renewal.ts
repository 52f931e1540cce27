import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { LeaseCarrier } from '../link/lease-carrier.ts';
import { pause } from '../runtime/pause.ts';
import type { LeaseView, VaultClient } from '../vault/client.ts';

/** The vault's own clock says when: it is asked this often at least, since timers stand still while the machine is suspended. */
const LOOK_EVERY_MS = 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Longest time for which somebody who is asked too much keeps us waiting. */
const LONGEST_HINT_MS = 300_000;

/** Refusals that no later try changes. */
const FOR_EVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['device_denied', 'tenant_destroyed', 'epoch_lost']);

export interface LeaseRenewalOptions {
  readonly tenant: string;
  readonly vault: Pick<
    VaultClient,
    'state' | 'epoch' | 'start' | 'onStateChange' | 'lease' | 'requestLease' | 'acceptLease' | 'moveEpoch' | 'sayMoved' | 'revoke'
  >;
  readonly carrier: LeaseCarrier;
  /** 0 to 1: boxes that came up together are not to renew together. */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Keeps one tenant under a lease: asks for the first, for the next when half of it is over, and after a failure again and again, also
 * when the lease has ended meanwhile. A refusal for ever closes the tenant at once. Where the KMS has begun another epoch, the tenant moves
 * there, and the KMS is told. A box that was away for too long gets the key of the new epoch alone: with it, it moves as long as its lease of
 * the old one lasts. After that nobody opens what it has of the tenant; it stays as it is until somebody decides what becomes of it.
 */
export class LeaseRenewal {
  readonly #options: LeaseRenewalOptions;
  readonly #backOff: BackOff;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #failure: SecureGateError | undefined;
  /** What to ask for where that of the vault's files is not it: a new vault has none. */
  #epoch: number | undefined;
  /** The epoch of which the KMS knows that this box is in it. */
  #told: number | undefined;
  #woken = new AbortController();
  /** What somebody orders, one after the other. */
  readonly #orders = new SerialWork();

  constructor(options: LeaseRenewalOptions) {
    this.#options = options;
    this.#backOff = new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, options.random);
  }

  /** Why the last try failed; undefined when it did not. */
  get failure(): SecureGateError | undefined {
    return this.#failure;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    await this.#orders.idle();
    await this.#end();
  }

  /**
   * Asks for a new lease at once, also where it was revoked.
   * @throws {SecureGateError} why none has come; it goes on to be asked for, unless that was for ever
   */
  async renew(): Promise<void> {
    const { vault } = this.#options;
    await this.#orders.run(async () => {
      await this.#end();
      try {
        // A vault that was closed for good is opened as one that waits for its lease.
        if (vault.state === 'failed') await vault.start().catch(() => undefined);
        await this.#renew();
      } catch (error) {
        await this.#failed(SecureGateError.from(error));
        throw error;
      } finally {
        this.start();
      }
    });
  }

  /**
   * Closes the tenant and forgets its key, until it is renewed or the box starts anew: then the KMS decides.
   * @throws {SecureGateError} `vault_unavailable`: it is closed, and what this box kept of the lease was perhaps not forgotten
   */
  async revoke(): Promise<void> {
    await this.#orders.run(async () => {
      await this.#end();
      await this.#options.vault.revoke(new SecureGateError('lease_revoked', 'The lease of this tenant was revoked'));
    });
  }

  /** Somebody else than the KMS has said that there is no lease any more: it is as if the KMS had. */
  async refused(reason: SecureGateError): Promise<void> {
    await this.#orders.run(async () => {
      await this.#end();
      await this.#failed(reason);
    });
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    // A vault that opens, or is closed by a crash or by the end of its lease, is looked at at once.
    const endListening = this.#options.vault.onStateChange(() => this.#woken.abort());
    let share = this.#share();
    while (!signal.aborted) {
      this.#woken = new AbortController();
      let waitMs: number;
      try {
        waitMs = Math.min(await this.#dueIn(share), LOOK_EVERY_MS);
        if (waitMs <= 0) {
          await this.#renew();
          share = this.#share();
          continue;
        }
      } catch (error) {
        const reason = SecureGateError.from(error);
        if (signal.aborted || (await this.#failed(reason))) break;
        waitMs = Math.max(this.#backOff.next(), hintOf(reason) * (1 + this.#options.random() / 4));
      }
      await pause(waitMs, AbortSignal.any([signal, this.#woken.signal]));
    }
    endListening();
  }

  /** Milliseconds until a lease is to be asked for. */
  async #dueIn(share: number): Promise<number> {
    const { vault } = this.#options;
    if (vault.state === 'closed') return 0;
    if (vault.state !== 'ready') return LOOK_EVERY_MS;
    const lease = await vault.lease();
    return lease === null ? 0 : lease.leftMs - (lease.endsAt - lease.issuedAt) * share;
  }

  async #renew(): Promise<void> {
    const { tenant, vault, carrier, logger } = this.#options;
    const request = await vault.requestLease(await carrier.challenge(), this.#epoch);
    const { endsAt, enforcement, epoch, newest } = await this.#accept(await carrier.export(request));
    this.#failure = undefined;
    this.#epoch = undefined;
    this.#backOff.reset();
    logger.info({ tenant, epoch, enforcement, endsAt: new Date(endsAt).toISOString() }, 'a lease has come');
    await this.#follow(epoch, newest);
  }

  /** @throws {SecureGateError} `epoch_lost`: this is the only key that the KMS gives, and it is not that of the vault's files */
  async #accept(answer: LeaseAnswer): Promise<LeaseView> {
    const given = this.#epoch;
    try {
      return await this.#options.vault.acceptLease(answer);
    } catch (cause) {
      const { code, details } = SecureGateError.from(cause);
      if (given === undefined || (code !== 'lease_missing' && code !== 'lease_ended')) throw cause;
      throw new SecureGateError('epoch_lost', "The key of this tenant's files was destroyed while this box was away", {
        cause,
        details: { epoch: details.epoch, newest: given },
      });
    }
  }

  /** Moves to the newest epoch, over those between: it takes no key of them. What fails is tried again with the next lease. */
  async #follow(epoch: number, newest: number): Promise<void> {
    const { tenant, vault, carrier, logger } = this.#options;
    try {
      if (newest > epoch) await vault.acceptLease(await carrier.export(await vault.requestLease(await carrier.challenge(), newest)));
      if ((vault.epoch ?? newest) < newest) await vault.moveEpoch();
      if (newest === 1 || newest === this.#told) return;
      await carrier.acknowledgeMove(await vault.sayMoved());
      this.#told = newest;
      logger.info({ tenant, epoch: newest }, 'the KMS knows that this box needs no earlier key of the tenant');
    } catch (error) {
      logger.warn({ err: error, tenant, epoch, newest }, 'the tenant is not yet where its KMS wants it, or has not said so');
    }
  }

  /** @returns whether that was for ever */
  async #failed(reason: SecureGateError): Promise<boolean> {
    const { tenant, vault, logger } = this.#options;
    this.#failure = reason;
    this.#epoch = newestOf(reason);
    if (!FOR_EVER.has(reason.code)) {
      logger.warn({ err: reason, code: reason.code, tenant }, 'the lease was not renewed; it is tried again');
      return false;
    }
    logger.error(
      { err: reason, code: reason.code, tenant },
      'the KMS gives no lease any more: the tenant is closed, and its key forgotten',
    );
    try {
      await vault.revoke(reason);
    } catch (error) {
      logger.error({ err: error, tenant }, 'what this box kept of the lease was perhaps not forgotten');
    }
    return true;
  }

  /** Which share of a lease is left when it is renewed: half, a tenth more or less, chosen anew for each. */
  #share(): number {
    return 0.5 + (this.#options.random() - 0.5) / 10;
  }
}

/** For how many milliseconds, at least, it is not to be asked again; boxes that were told the same do not come back together. */
function hintOf({ details: { retryAfter } }: SecureGateError): number {
  return typeof retryAfter === 'number' ? Math.min(retryAfter * 1000, LONGEST_HINT_MS) : 0;
}

/** A KMS that has an epoch no more says which one it has instead. */
function newestOf({ code, details: { newest } }: SecureGateError): number | undefined {
  return (code === 'cell_gone' || code === 'epoch_replaced') && typeof newest === 'number' ? newest : undefined;
}
