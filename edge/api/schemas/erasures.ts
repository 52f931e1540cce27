import { z } from 'zod';
import { idSchema } from '../../../shared/ids/ids.ts';

const CUSTOMER = 'cus_aaaaaaaaaaaaaaaaaaaaaaaaaa';

/** At most so many as the vault takes in one go. */
export const newErasuresSchema = z
  .strictObject({ customerIds: z.array(idSchema('customer')).min(1).max(50) })
  .meta({ id: 'NewErasures', examples: [{ customerIds: [CUSTOMER] }] });

export const erasureSchema = z
  .strictObject({
    /** The random id that the customer had. */
    customerId: idSchema('customer'),
    erasedAt: z.iso.datetime(),
    /** `erased`: beside the present keyring no older file opens for him. `unrecoverable`: nor does a complete older copy of the box. */
    state: z.enum(['erased', 'unrecoverable']),
    /** When he is or will be `unrecoverable`, on the word of the key management; a stand-alone box never knows. */
    unrecoverableFrom: z.iso.datetime().nullable(),
    /** The tenant key that may open older copies is that of this epoch. */
    epoch: z.number().int(),
    /** Whether this box has replaced that tenant key since, and forgotten it. */
    keyReplaced: z.boolean(),
    /** The boxes that had that tenant key, where the key management told of them. */
    boxes: z.array(z.strictObject({ box: idSchema('box'), state: z.enum(['moved', 'waiting', 'lost']) })),
  })
  .meta({ id: 'Erasure' });

export const erasuresSchema = z.strictObject({ items: z.array(erasureSchema) }).meta({ id: 'Erasures' });

export const movedSchema = z.strictObject({ epoch: z.number().int() }).meta({ id: 'TenantKeyEpoch' });
