import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { VaultScope } from '../scope.ts';
import type { CustomerStore } from '../store/customer-store.ts';
import { CustomerRecords } from './customer-records.ts';

/** Opens the records of the tenant's customers, and knows which records did not open. */
export class CustomerAccess {
  readonly #scope: VaultScope;
  readonly #keyring: Keyring;
  readonly #store: CustomerStore;
  readonly #logger: Logger;
  readonly #rejected = new Set<string>();

  constructor(scope: VaultScope, keyring: Keyring, store: CustomerStore, logger: Logger) {
    this.#scope = scope;
    this.#keyring = keyring;
    this.#store = store;
    this.#logger = logger;
  }

  /** Records that did not open so far: changed, swapped or damaged. They take part in nothing. */
  get rejected(): number {
    return this.#rejected.size;
  }

  /** @throws {SecureGateError} `customer_not_found`, `envelope_rejected` */
  open(customerId: string): CustomerRecords {
    const records = this.#store.customer(customerId) && this.find(customerId);
    if (!records) throw new SecureGateError('customer_not_found', 'No such customer', { details: { customerId } });
    return records;
  }

  /**
   * @returns undefined without a key: the customer was erased, whatever an older data file still holds
   * @throws {SecureGateError} `envelope_rejected`
   */
  find(customerId: string): CustomerRecords | undefined {
    const key = this.#keyring.open(customerId);
    return key && new CustomerRecords(this.#scope, customerId, key);
  }

  /** One record that was tampered with must not take the others with it. @returns undefined for that one */
  skipRejected<Result>(id: string, read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SecureGateError) || error.code !== 'envelope_rejected') throw error;
      this.#rejected.add(id);
      this.#logger.error({ id, code: error.code }, 'a sealed record does not open and is left out');
      return undefined;
    }
  }
}
