import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { VaultClient } from '../vault/client.ts';
import type { Principal } from './auth/principal.ts';
import { scopesOf } from './auth/scopes-of.ts';
import type { BoxPort } from './ports.ts';

/** How long a stream shows a name without asking again: a changed or removed customer is gone from it after that. */
const KEPT_MS = 5000;

interface Known {
  /** Null: there is no such customer, or none who can be read. */
  readonly name: string | null;
  readonly until: number;
}

type Tenants = Pick<BoxPort, 'tenants'>;

/** Whether whoever asks may know how the people of this tenant are called. */
export function mayReadPeople({ tenants }: Tenants, principal: Principal | undefined, tenant: string): boolean {
  if (principal === undefined) return false;
  const { org } = tenants.get(tenant);
  return scopesOf(principal, { org, tenant }).includes('people:read');
}

/** Names for whoever asks, in one tenant. */
export function namesFor(box: Tenants, principal: Principal | undefined, tenant: string, now: () => number): Names {
  return new Names(box.tenants.vault(tenant), mayReadPeople(box, principal, tenant), now);
}

/** Names of customers for one request or stream, and none for those who may not read people. */
export class Names {
  readonly #vault: VaultClient;
  readonly #allowed: boolean;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /**
   * @param allowed whether the reader may know them
   * @param now monotonic time, milliseconds
   */
  constructor(vault: VaultClient, allowed: boolean, now: () => number) {
    this.#vault = vault;
    this.#allowed = allowed;
    this.#now = now;
  }

  /**
   * @param customerIds null for nobody
   * @returns by their ids those who have a name: not who is gone, and nobody for whoever may not know
   */
  async of(customerIds: readonly (string | null)[]): Promise<ReadonlyMap<string | null, string>> {
    const names = new Map<string | null, string>();
    if (!this.#allowed) return names;
    this.#forgetOld();
    const asked: string[] = [];
    for (const id of new Set(customerIds)) {
      const known = id === null ? undefined : this.#known.get(id);
      if (known !== undefined && known.name !== null) names.set(id, known.name);
      if (id !== null && known === undefined) asked.push(id);
    }
    if (asked.length === 0) return names;
    const found = await namesOf(this.#vault, asked);
    const until = this.#now() + KEPT_MS;
    for (const id of asked) {
      const name = found.get(id) ?? null;
      this.#known.set(id, { name, until });
      if (name !== null) names.set(id, name);
    }
    return names;
  }

  /** A stream that is open all day would otherwise hold the names of all who came by. */
  #forgetOld(): void {
    const now = this.#now();
    for (const [id, { until }] of this.#known) if (now >= until) this.#known.delete(id);
  }
}

async function namesOf(vault: VaultClient, customerIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  try {
    return await vault.customerNames(customerIds);
  } catch (error) {
    // The vault is away, or closed.
    if (error instanceof SecureGateError && error.status === 503) return new Map();
    throw error;
  }
}
