import { z } from 'zod';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import { KEY_ORIGINS } from '../appliance/tenant-policies.ts';

export const MANIFEST = 'manifest.json';
/** In the folder of a tenant. */
export const DATA_FILE = 'vault.db';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * What a backup holds. The sums show damage; that nobody changed the data shows when they are opened, since every page of a
 * vault.db is authenticated under a key that is not here.
 */
export const manifestSchema = z.strictObject({
  format: z.literal('securegate-backup'),
  version: z.literal(1),
  at: z.iso.datetime(),
  /** The keyrings open for the box of this id alone. */
  box: idSchema('box'),
  tenants: z.array(
    z.strictObject({
      id: slugSchema,
      org: slugSchema,
      /** Of a tenant that the configuration file does not declare. */
      policy: z
        .strictObject({
          matchThreshold: z.number().nullable(),
          unmatchedTtlMs: z.number().int(),
          sightingsDays: z.number().int(),
          /** Earlier backups do not say. */
          keys: z.enum(KEY_ORIGINS).default('file'),
        })
        .nullable(),
      epoch: z.number().int(),
      /** Version of the keyring replica at that time, 0 without one: an older replica does not belong to these data. */
      keyringVersion: z.number().int().min(0),
      /** Of `<tenant>/vault.db`. */
      data: z.strictObject({ bytes: z.number().int(), sha256 }),
    }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type BackedUpTenant = Manifest['tenants'][number];
