import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { VaultClient } from '../vault/client.ts';
import type { Principal } from './auth/principal.ts';
import { scopesOf } from './auth/scopes-of.ts';
import type { BoxPort } from './ports.ts';
import type { Scope } from './schemas/box.ts';

/** How long a stream shows a name without asking again: a changed or removed customer is gone from it after that. */
const KEPT_MS = 5000;

interface Known {
  /** Null: there is no such customer, or none who can be read. */
  readonly name: string | null;
  readonly until: number;
}

/** Names for whoever asks, in one tenant. */
export function namesFor(
  { tenants }: Pick<BoxPort, 'tenants'>,
  principal: Principal | undefined,
  tenant: string,
  now: () => number,
): Names {
  const { org } = tenants.get(tenant);
  return new Names(tenants.vault(tenant), principal === undefined ? [] : scopesOf(principal, { org, tenant }), now);
}

/** Names of customers for one request or stream, and none for those who may not read people. */
export class Names {
  readonly #vault: VaultClient;
  readonly #allowed: boolean;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /**
   * @param scopes what the reader may do in the tenant of this vault
   * @param now monotonic time, milliseconds
   */
  constructor(vault: VaultClient, scopes: readonly Scope[], now: () => number) {
    this.#vault = vault;
    this.#allowed = scopes.includes('people:read');
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
