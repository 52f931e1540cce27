import type { SightingReport } from '../../shared/fleet/sighting-batch.ts';
import { MOST_USAGE_DAYS, type UsageOfRun } from '../../shared/fleet/usage-batch.ts';
import type { Source } from '../link/outbox/source.ts';
import type { VaultClient } from '../vault/client.ts';
import type { Tenants } from './tenants.ts';

/** Of one message's sightings: a message has 64 KiB at most, and on a slow line each keeps an answer to a command waiting. */
const MOST_BYTES = 32 * 1024;

/** What the leased tenants of a box have for the control plane. A tenant whose vault is closed has nothing until it opens. */
export class OutboxSources {
  readonly #tenants: Pick<Tenants, 'list' | 'vault'>;
  #known: ReadonlyMap<VaultClient, readonly Source[]> = new Map();

  constructor(tenants: Pick<Tenants, 'list' | 'vault'>) {
    this.#tenants = tenants;
  }

  list(): readonly Source[] {
    const leased = this.#tenants.list().filter(({ keys }) => keys === 'lease');
    this.#known = new Map(
      leased.map(({ id, org }) => {
        const vault = this.#tenants.vault(id);
        return [vault, this.#known.get(vault) ?? [sightingsOf(vault, org, id), usageOf(vault, org, id)]];
      }),
    );
    return [...this.#known.values()].flat();
  }
}

function sightingsOf(vault: VaultClient, org: string, tenant: string): Source {
  const source: Source<{ sightings: readonly SightingReport[] }> = {
    ...{ org, tenant, channel: 'sightings' },
    get waiting() {
      return vault.state === 'ready' && vault.outbox.items > 0;
    },
    async untold() {
      const sightings = vault.state === 'ready' ? await vault.untoldSightings(MOST_BYTES) : [];
      return sightings.length === 0 ? undefined : { sightings };
    },
    told: ({ sightings }) => vault.toldSightings(sightings.map(({ id }) => id)),
  };
  return source;
}

function usageOf(vault: VaultClient, org: string, tenant: string): Source {
  let more = false;
  const source: Source<{ days: readonly UsageOfRun[] }> = {
    ...{ org, tenant, channel: 'usage' },
    // It always grows: what is not the rest of a long absence is told every few minutes.
    get waiting() {
      return more;
    },
    async untold() {
      const days = vault.state === 'ready' ? await vault.untoldUsage() : [];
      more = days.length === MOST_USAGE_DAYS;
      return days.length === 0 ? undefined : { days };
    },
    told: ({ days }) => vault.toldUsage(days),
  };
  return source;
}
