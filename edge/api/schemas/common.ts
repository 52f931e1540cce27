import { z } from 'zod';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';

export const tenantParams = z.strictObject({ tenant: slugSchema });
export const customerParams = tenantParams.extend({ customerId: idSchema('customer') });
