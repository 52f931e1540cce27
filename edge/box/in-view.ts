import type { Sighting } from '../../shared/messages/events.ts';

/**
 * The guests who are before a camera now: sightings that have begun and are not over. Somebody unknown is reported when he is
 * gone, and is never in here.
 */
export class InView {
  readonly #tenants = new Map<string, Map<string, Sighting>>();

  take(sighting: Sighting): void {
    const seen = this.#tenants.get(sighting.tenant) ?? new Map<string, Sighting>();
    this.#tenants.set(sighting.tenant, seen);
    if (sighting.phase === 'begun') seen.set(sighting.id, sighting);
    else seen.delete(sighting.id);
  }

  drop(tenant: string): void {
    this.#tenants.delete(tenant);
  }

  /** The longest in view first. */
  list(tenant: string): readonly Sighting[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])];
  }
}
