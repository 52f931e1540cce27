import { z } from 'zod';
import { idSchema } from '../../../shared/ids/ids.ts';

/**
 * What the KMS knows of a box that had the key of an epoch. `moved`: the box signed that it needs that key no more.
 * `waiting`: it has not yet. `lost`: it did not in time, and gets no key any more.
 */
export const boxStateSchema = z.strictObject({ box: idSchema('box'), state: z.enum(['moved', 'waiting', 'lost']) });
