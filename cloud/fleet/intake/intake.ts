import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { sightingBatchSchema } from '../../../shared/fleet/sighting-batch.ts';
import { telemetrySchema } from '../../../shared/fleet/telemetry.ts';
import { usageBatchSchema } from '../../../shared/fleet/usage-batch.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBox } from '../known-boxes.ts';
import type { Takers } from '../reception.ts';
import { replyToBox } from '../reply-to-box.ts';
import { Telemetries } from './box-telemetry.ts';
import { keepSightings } from './keep-sightings.ts';
import { keepUsage } from './keep-usage.ts';
import { SightingCounts } from './sighting-counts.ts';
import { Usage } from './usage.ts';

export interface IntakeOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly courier?: Pick<Courier, 'send'> | undefined;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * What boxes tell of their tenants and of themselves. A box is told that a batch is kept when that is on the disk: until then it says it
 * again, and whichever process hears it again counts nothing twice.
 */
export class Intake {
  readonly sightingCounts: SightingCounts;
  readonly usage: Usage;
  readonly telemetries: Telemetries;
  /** What was refused since the start, by reason: sightings that are too old or of a time to come, batches of a tenant that is not the box's. */
  readonly refused = { untimely: 0, unassigned: 0 };
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    const { db } = options;
    this.#options = options;
    this.sightingCounts = new SightingCounts(db);
    this.usage = new Usage(db);
    this.telemetries = new Telemetries(db);
  }

  /** What it wants to hear of boxes. */
  readonly takers: Takers = {
    sightings: async (device, box, payload) => {
      const { db, now } = this.#options;
      const { batch, org, tenant, sightings } = sightingBatchSchema.parse(JSON.parse(payload.toString()));
      await this.#requireAssigned(device, box, org, tenant);
      const refused = await keepSightings(db, { org, tenant, device }, sightings, now());
      this.refused.untimely += refused;
      await replyToBox(this.#options, device, { kind: 'kept', batch, refused });
    },
    usage: async (device, box, payload) => {
      const { batch, org, tenant, days } = usageBatchSchema.parse(JSON.parse(payload.toString()));
      await this.#requireAssigned(device, box, org, tenant);
      await keepUsage(this.#options.db, { org, tenant, device }, days);
      await replyToBox(this.#options, device, { kind: 'kept', batch, refused: 0 });
    },
    telemetry: async (device, { org }, payload) => {
      await this.telemetries.keep(org, device, telemetrySchema.parse(JSON.parse(payload.toString())), this.#options.now());
    },
  };

  /** A box speaks for the tenants whose keys it may have. It is not answered else, and keeps what it has until that is put right. */
  async #requireAssigned(device: string, box: KnownBox, org: string, tenant: string): Promise<void> {
    const assigned = org === box.org ? await this.#options.kms.call('assignedTenants', { org, device }) : [];
    if (assigned.includes(tenant)) return;
    this.refused.unassigned += 1;
    throw new SecureGateError('tenant_not_assigned', 'This box is not assigned to this tenant', { details: { org, tenant } });
  }
}
