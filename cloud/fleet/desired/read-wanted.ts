import type { Kysely } from 'kysely';
import { type DesiredTenant, desiredPolicySchema } from '../../../shared/fleet/desired.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import { fieldsOf } from './camera.ts';

/** A policy of the control plane says nothing of a threshold that is the model's own. */
const policySchema = desiredPolicySchema.extend({ matchThreshold: desiredPolicySchema.shape.matchThreshold.default(null) });

export interface Wanted {
  readonly tenants: readonly DesiredTenant[];
  /** Null for the box's own. */
  readonly models: string | null;
}

/**
 * What a box should have now: the tenants to which an admin has assigned it, as the KMS knows them, each with its policy and its cameras;
 * and the models that were chosen for it.
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function readWanted(
  { db, kms }: { readonly db: Kysely<Database>; readonly kms: Pick<KmsClient, 'call'> },
  org: string,
  device: string,
): Promise<Wanted> {
  const [assigned, box] = await Promise.all([
    kms.call('assignedTenants', { org, device }),
    db.selectFrom('devices').select('models').where('org', '=', org).where('id', '=', device).executeTakeFirst(),
  ]);
  const models = box?.models ?? null;
  if (assigned.length === 0) return { tenants: [], models };
  const living = db.selectFrom('tenants').select(['id', 'policies']).where('state', '<>', 'shredded');
  const [tenants, cameras] = await Promise.all([
    living.where('org', '=', org).where('id', 'in', assigned).orderBy('id').execute(),
    db.selectFrom('cameras').selectAll().where('org', '=', org).where('device', '=', device).orderBy('id').execute(),
  ]);
  return {
    tenants: tenants.map(({ id, policies }) => ({
      id,
      policy: policySchema.parse(JSON.parse(policies)),
      cameras: cameras.filter(({ tenant }) => tenant === id).map((row) => ({ id: row.id, ...fieldsOf(row) })),
    })),
    models,
  };
}
