import type { KnownEpoch } from '../../shared/receipts/state-of-erasure.ts';
import type { KmsClient } from '../kms/client.ts';

const DAY_MS = 86_400_000;

/** What became of each key of a tenant, the first one first. @throws {SecureGateError} `kms_unavailable` */
export async function readEpochs(kms: Pick<KmsClient, 'call'>, org: string, tenant: string): Promise<KnownEpoch[]> {
  const [{ capabilities }, known] = await Promise.all([kms.call('status', {}), kms.call('listEpochs', { org, tenant })]);
  const { destroyHorizonDays } = capabilities;
  const made = known.filter(({ state }) => state !== 'making');
  const newest = made.at(-1)?.epoch;
  return await Promise.all(
    made.map(async ({ epoch, destroyedAt }) => ({
      epoch,
      leftFrom: epoch === newest ? null : (await kms.call('getMove', { org, tenant, epoch })).begunAt,
      destroyedAt,
      unrecoverableFrom: destroyedAt === null || destroyHorizonDays === null ? null : destroyedAt + destroyHorizonDays * DAY_MS,
    })),
  );
}
