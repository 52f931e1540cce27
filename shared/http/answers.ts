import { z } from 'zod';

/** Answer without a body. */
export const noContent = z.undefined().meta({ description: 'Done' });
