import { z } from 'zod';
import { removedSchema } from '../../shared/fleet/ack.ts';
import { idSchema, principalIdSchema, slugSchema } from '../../shared/ids/ids.ts';
import { ulidSchema } from '../../shared/ids/ulid.ts';
import { ENFORCEMENTS } from '../../shared/lease/lease-token.ts';
import { BOX_STATES, REASONS } from '../../shared/receipts/state-of-box.ts';
import { SHRED_STATES } from './shred-states.ts';

const MOST_GRACE_MINUTES = 7 * 24 * 60;

export const newShredSchema = z
  .strictObject({
    tenant: slugSchema,
    graceMinutes: z
      .int()
      .min(0)
      .max(MOST_GRACE_MINUTES)
      .default(60)
      .describe('How long the tenant stays frozen, so that it can be cancelled, before its keys are destroyed.'),
  })
  .meta({ id: 'NewShred', examples: [{ tenant: 'main-hall', graceMinutes: 60 }] });
export type NewShred = z.output<typeof newShredSchema>;

const time = z.iso.datetime();

export const shredBoxSchema = z
  .strictObject({
    device: idSchema('box'),
    state: z
      .enum(BOX_STATES)
      .describe('`erased`: it said that it has removed all, or its leases are over. `unrecoverable`: no copy of anything opens any more.'),
    unrecoverableFrom: time.nullable().describe('From when it is so; null where nobody can promise that.'),
    because: z
      .enum(REASONS)
      .nullable()
      .describe("What decides that time: the box's signed word, the end of its last lease, or the backups of the HSM."),
    enforcement: z.enum(ENFORCEMENTS).describe('How it holds keys between leases; of `software`, only its own word counts.'),
    leaseEndsAt: time.describe('When the last lease ends that it can have been given.'),
    command: ulidSchema.describe('What it was told last.'),
    reason: z.string().nullable().describe('Code of why it has not done it yet; it is told again.'),
    receipt: ulidSchema.nullable().describe('Its signed word.'),
    removed: removedSchema.nullable(),
  })
  .meta({ id: 'ShredBox' });
export type ShredBox = z.output<typeof shredBoxSchema>;

export const shredSchema = z
  .strictObject({
    id: ulidSchema,
    org: slugSchema,
    tenant: slugSchema,
    state: z
      .enum(SHRED_STATES)
      .describe('It can be cancelled until it is `destroying`. `telling`: the keys are gone, and boxes have yet to do their part.'),
    reason: z.string().nullable().describe('Code of what keeps it from going on; it is tried again.'),
    requestedBy: principalIdSchema,
    requestedAt: time,
    approvals: z.array(z.strictObject({ by: principalIdSchema, at: time })),
    approvalsNeeded: z.int(),
    graceMinutes: z.int(),
    frozenAt: time.nullable(),
    destroysFrom: time.nullable().describe('Until when it can be cancelled.'),
    destroyedAt: time.nullable().describe('When its keys were destroyed in the HSM.'),
    unrecoverableFrom: time.nullable().describe('When no backup of the HSM has them any more; null where nobody can promise that.'),
    settledAt: time.nullable(),
    boxes: z.array(shredBoxSchema),
    version: z.int(),
  })
  .meta({
    id: 'Shred',
    examples: [
      {
        id: '01KAMV8Z0000000000000000CC',
        org: 'acme',
        tenant: 'main-hall',
        state: 'telling',
        reason: null,
        requestedBy: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        requestedAt: '2026-11-22T10:00:00.000Z',
        approvals: [
          { by: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa', at: '2026-11-22T10:01:00.000Z' },
          { by: 'usr_bbbbbbbbbbbbbbbbbbbbbbbbbb', at: '2026-11-22T10:02:00.000Z' },
        ],
        approvalsNeeded: 2,
        graceMinutes: 60,
        frozenAt: '2026-11-22T10:02:00.100Z',
        destroysFrom: '2026-11-22T11:02:00.100Z',
        destroyedAt: '2026-11-22T11:02:00.200Z',
        unrecoverableFrom: '2026-11-29T11:02:00.200Z',
        settledAt: null,
        boxes: [
          {
            device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
            state: 'erased',
            unrecoverableFrom: '2026-11-29T11:02:00.200Z',
            because: 'hsm_horizon',
            enforcement: 'memory',
            leaseEndsAt: '2026-11-23T10:02:00.100Z',
            command: '01KAMV8Z0000000000000000AA',
            reason: null,
            receipt: '01KAMV8Z0000000000000000BB',
            removed: { keyFiles: 4, dataFiles: 3, bytes: 1_048_576, customers: 0, tpmCounter: false },
          },
        ],
        version: 5,
      },
    ],
  });
export type Shred = z.output<typeof shredSchema>;
