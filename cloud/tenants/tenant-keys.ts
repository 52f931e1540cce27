import { z } from 'zod';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import type { KmsClient } from '../kms/client.ts';

const moveSchema = z
  .strictObject({
    begunAt: z.iso.datetime(),
    deadline: z.iso.datetime().describe('Until when a box that has not moved is waited for.'),
    boxes: z.array(
      z.strictObject({
        device: idSchema('box'),
        state: z.enum(['moved', 'waiting', 'lost']).describe('`lost`: denied, not assigned any more, or out of time.'),
      }),
    ),
  })
  .meta({ id: 'EpochMove' });

const epochSchema = z
  .strictObject({
    epoch: z.int().describe('Its number, which is also the generation of its cell in the HSM.'),
    state: z.enum(['making', 'ready', 'destroying', 'destroyed']),
    destroyedAt: z.iso.datetime().nullable(),
    move: moveSchema.nullable().describe('How far the boxes have moved away from it; null for the newest, and for one whose key is gone.'),
  })
  .meta({ id: 'Epoch' });

export const tenantKeysSchema = z
  .strictObject({
    org: slugSchema,
    tenant: slugSchema,
    hsm: z.string().describe('Where the keys really are; it says "software, not an HSM" where they are in none.'),
    destroyHorizonDays: z
      .int()
      .nullable()
      .describe('Days after which a destroyed key is in no backup of the HSM any more; null where nobody can promise that.'),
    newest: z.int().nullable().describe('The epoch whose key boxes get; null before there is one.'),
    epochs: z.array(epochSchema),
  })
  .meta({
    id: 'TenantKeys',
    examples: [
      {
        org: 'acme',
        tenant: 'main-hall',
        hsm: 'SoftHSM v2, SoftHSM project',
        destroyHorizonDays: 30,
        newest: 2,
        epochs: [
          {
            epoch: 1,
            state: 'ready',
            destroyedAt: null,
            move: {
              begunAt: '2027-03-01T08:00:00.000Z',
              deadline: '2027-03-31T08:00:00.000Z',
              boxes: [{ device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa', state: 'waiting' }],
            },
          },
          { epoch: 2, state: 'ready', destroyedAt: null, move: null },
        ],
      },
    ],
  });
export type TenantKeys = z.output<typeof tenantKeysSchema>;

export const epochMoveSchema = z
  .strictObject({
    epoch: z.int().min(2).max(0xffffffff).describe('The epoch to move to: the one after the newest. Named, it is not made twice.'),
  })
  .meta({ id: 'NewEpochMove', examples: [{ epoch: 2 }] });

/** What the KMS tells of a tenant's keys, without the keys. */
export async function readTenantKeys(kms: Pick<KmsClient, 'call'>, org: string, tenant: string): Promise<TenantKeys> {
  const [{ hsm, capabilities }, known] = await Promise.all([kms.call('status', {}), kms.call('listEpochs', { org, tenant })]);
  const newest = known.findLast(({ state }) => state === 'ready')?.epoch ?? null;
  const epochs = known.map(async ({ epoch, state, destroyedAt }) => ({
    ...{ epoch, state, destroyedAt: timeOf(destroyedAt) },
    move: state === 'ready' && epoch !== newest ? await readMove(kms, org, tenant, epoch) : null,
  }));
  return { org, tenant, hsm, destroyHorizonDays: capabilities.destroyHorizonDays, newest, epochs: await Promise.all(epochs) };
}

async function readMove(kms: Pick<KmsClient, 'call'>, org: string, tenant: string, epoch: number): Promise<z.output<typeof moveSchema>> {
  const { begunAt, deadline, boxes } = await kms.call('getMove', { org, tenant, epoch });
  return { begunAt: new Date(begunAt).toISOString(), deadline: new Date(deadline).toISOString(), boxes };
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
