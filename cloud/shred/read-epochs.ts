import type { KnownEpoch } from '../../shared/receipts/state-of-erasure.ts';
import type { KmsClient } from '../kms/client.ts';

const DAY_MS = 86_400_000;

/** What became of each key of a tenant, the first one first. @throws {SecureGateError} `kms_unavailable` */
export async function readEpochs(kms: Pick<KmsClient, 'call'>, org: string, tenant: string): Promise<KnownEpoch[]> {
  const [{ capabilities }, known] = await Promise.all([kms.call('status', {}), kms.call('listEpochs', { org, tenant })]);
  const { destroyHorizonDays } = capabilities;
  return known
    .filter(({ state }) => state !== 'making')
    .map(({ epoch, leftFrom, destroyedAt }) => ({
      ...{ epoch, leftFrom, destroyedAt },
      unrecoverableFrom: destroyedAt === null || destroyHorizonDays === null ? null : destroyedAt + destroyHorizonDays * DAY_MS,
    }));
}
