import type { KeyObject } from 'node:crypto';
import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import type { ToldRecoveries } from '../../../shared/lease/recovery.ts';
import { EstClient } from './est-client.ts';
import { newestRecovery } from './newest-recovery.ts';

/**
 * Asks whoever answers at the address of the control plane whether its HSM is lost. With the HSM went the key of the authority that the box believes,
 * so that the control plane cannot show who it is; what it tells proves itself. Nothing else that comes this way is believed.
 * @throws {SecureGateError} `cloud_unavailable`, and whatever code a stranger likes
 */
export async function askRecoveries({ cloud, certificate, recoveries }: Enrolment, key: KeyObject): Promise<ToldRecoveries> {
  return await new EstClient({ cloud, credentials: { key, certificate } }).recoveries(newestRecovery(recoveries)?.id);
}
