import type { Sighting } from '../../../shared/messages/events.ts';
import type { PersonId } from '../footage/faces.ts';
import { APPEARANCES, type Appearance, GUESTS, type TenantId, tenantOf } from '../footage/script.ts';
import { matchAppearance } from './match-appearance.ts';

/** Whom a customer id stands for, and whose customer that is. */
export type Customers = ReadonlyMap<string, { readonly tenant: TenantId; readonly person: PersonId }>;

export interface Score {
  /** Appearances of guests of the camera's own tenant. */
  readonly expected: number;
  /** Those of them with a sighting that names the guest. */
  readonly recognised: number;
  /** Sightings that name anybody but the person who was there. */
  readonly wrong: number;
  /** Appearances of people who are strangers to the tenant that were reported as unknown, and never by a name. */
  readonly unknown: number;
  /** Sightings that name a customer of another tenant. */
  readonly crossTenant: number;
  /** What went other than the script, for people. */
  readonly remarks: readonly string[];
}

/**
 * Compares what the daemon reported with what the script put before its cameras.
 * @param sightings as they were reported; of several reports of one sighting the last counts
 */
export function scoreSightings(sightings: readonly Sighting[], customers: Customers): Score {
  const seen = new Map<Appearance, { named: boolean; unknown: boolean; misnamed: boolean }>(
    APPEARANCES.map((appearance) => [appearance, { named: false, unknown: false, misnamed: false }]),
  );
  const remarks: string[] = [];
  let wrong = 0;
  let crossTenant = 0;
  for (const sighting of new Map(sightings.map((report) => [report.id, report])).values()) {
    const appearance = matchAppearance(sighting);
    const record = appearance === undefined ? undefined : seen.get(appearance);
    if (sighting.outcome === 'unknown' && record !== undefined) record.unknown = true;
    if (sighting.outcome !== 'person') continue;
    const customer = customers.get(sighting.customerId ?? '');
    if (customer !== undefined && customer.tenant !== tenantOf(sighting.camera)) crossTenant += 1;
    if (record !== undefined && customer?.tenant === tenantOf(sighting.camera) && customer.person === appearance?.person) {
      record.named = true;
      continue;
    }
    wrong += 1;
    if (record !== undefined) record.misnamed = true;
    remarks.push(
      `${sighting.camera} at ${sighting.media.startMs} ms: ${appearance?.person ?? 'nobody'} was called ${customer?.person ?? 'a stranger'}`,
    );
  }
  let expected = 0;
  let recognised = 0;
  let unknown = 0;
  for (const [{ camera, person, fromMs }, record] of seen) {
    if (GUESTS[tenantOf(camera)].includes(person)) {
      expected += 1;
      if (record.named) recognised += 1;
      else remarks.push(`${camera} from ${fromMs} ms: ${person} was not recognised`);
    } else if (record.unknown && !record.named && !record.misnamed) {
      unknown += 1;
    } else {
      remarks.push(`${camera} from ${fromMs} ms: the stranger ${person} was not reported as unknown`);
    }
  }
  return { expected, recognised, wrong, unknown, crossTenant, remarks };
}
