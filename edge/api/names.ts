import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { VaultClient } from '../vault/client.ts';
import type { Principal } from './auth/principal.ts';

/** How long a stream shows a name without asking again: a changed or removed customer is gone from it after that. */
const KEPT_MS = 5000;

/** Names of customers for one request or stream, and none for those who may not read people. */
export class Names {
  readonly #vault: VaultClient;
  readonly #allowed: boolean;
  readonly #now: () => number;
  readonly #known = new Map<string, { name: string | null; until: number }>();

  /** @param now monotonic time, milliseconds */
  constructor(vault: VaultClient, principal: Principal | undefined, now: () => number) {
    this.#vault = vault;
    this.#allowed = principal?.kind === 'admin' || (principal?.kind === 'client' && principal.scopes.includes('people:read'));
    this.#now = now;
  }

  /** @returns null for nobody, for a customer who is gone, and for whoever may not know */
  async of(customerId: string | null): Promise<string | null> {
    if (customerId === null || !this.#allowed) return null;
    const known = this.#known.get(customerId);
    if (known !== undefined && this.#now() < known.until) return known.name;
    const name = await nameOf(this.#vault, customerId);
    this.#known.set(customerId, { name, until: this.#now() + KEPT_MS });
    return name;
  }
}

async function nameOf(vault: VaultClient, customerId: string): Promise<string | null> {
  try {
    return (await vault.getCustomer(customerId)).name;
  } catch (error) {
    if (error instanceof SecureGateError && ['customer_not_found', 'envelope_rejected', 'vault_unavailable'].includes(error.code))
      return null;
    throw error;
  }
}
