import type { CustomerAccess } from './customer-access.ts';
import type { CustomerRecords } from './customer-records.ts';

/** The customers whom one list is about: each is opened once, and all their keys are wiped at the end. */
export class OpenedCustomers implements Disposable {
  readonly #access: CustomerAccess;
  readonly #opened = new Map<string, CustomerRecords | undefined>();

  constructor(access: CustomerAccess) {
    this.#access = access;
  }

  /** @returns undefined for a customer without a key @throws {SecureGateError} `envelope_rejected` */
  find(customerId: string): CustomerRecords | undefined {
    if (!this.#opened.has(customerId)) this.#opened.set(customerId, this.#access.find(customerId));
    return this.#opened.get(customerId);
  }

  [Symbol.dispose](): void {
    for (const records of this.#opened.values()) records?.[Symbol.dispose]();
  }
}
