import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { SerialByKey } from '../../shared/runtime/serial-by-key.ts';
import type { Hsm } from './hsm/hsm.ts';
import type { KmsStore } from './store/open-kms-store.ts';

/**
 * Lets no older copy take the place of the records. Each change that an old copy would undo has a number, and the HSM keeps that of the
 * last one as well. The records go first, the HSM follows, and only then is the change answered: so a crash between the two leaves the
 * records ahead by one, which is the one difference that is put right and not refused.
 */
export class RollbackGuard {
  readonly #hsm: Hsm;
  readonly #store: KmsStore;
  readonly #serial = new SerialByKey();
  /** The HSM's number, as far as it is known here. */
  #counted = 0;

  constructor(hsm: Hsm, store: KmsStore) {
    this.#hsm = hsm;
    this.#store = store;
  }

  /**
   * @returns whether the security officer had to accept these records
   * @throws {SecureGateError} `records_rolled_back`, and the HSM's
   */
  async start(): Promise<boolean> {
    this.#counted = await this.#hsm.recordsVersion();
    const counted = this.#counted;
    const records = this.#store.version.get();
    const fits = records === counted || records === counted + 1;
    if (!fits && !(await this.#hsm.acceptsRecords(records, counted))) {
      throw new SecureGateError('records_rolled_back', 'The records of the KMS and its HSM are not of the same time', {
        details: { records, counted },
      });
    }
    if (!fits) {
      this.#store.atomically(() => {
        // What these records say is in the making may have been finished since, and be in use.
        this.#store.epochs.forgetUnmade();
        // And what they do not say was given may have been.
        this.#store.moves.assumeLaterKeys();
        // A new number, so that the officer's order fits no second time.
        this.#store.version.set(Math.max(records, counted) + 1);
      });
    }
    await this.#catchUp();
    return !fits;
  }

  /**
   * Makes a change that no old copy of the records may undo. It stands when this resolves; where the HSM fails meanwhile, it can be
   * asked for again.
   * @param work is done whole or not at all
   * @throws {SecureGateError} what `work` throws, and the HSM's
   */
  async change<T>(work: () => T): Promise<T> {
    return await this.#serial.run('records', async () => {
      // The records must not get ahead by more than one.
      await this.#catchUp();
      const result = this.#store.atomically(() => {
        const done = work();
        this.#store.version.set(this.#counted + 1);
        return done;
      });
      await this.#catchUp();
      return result;
    });
  }

  /** Has the HSM count a change that it could not count when it was made. @throws {SecureGateError} the HSM's */
  async settle(): Promise<void> {
    await this.#serial.run('records', () => this.#catchUp());
  }

  async #catchUp(): Promise<void> {
    const version = this.#store.version.get();
    if (version === this.#counted) return;
    await this.#hsm.raiseRecordsVersion(version);
    this.#counted = version;
  }
}
