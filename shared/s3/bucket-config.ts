import { z } from 'zod';
import { secretSourceSchema } from '../config/read-secret-file.ts';
import { isLoopback } from '../net/is-loopback.ts';

/** A bucket of an object store that speaks S3, and as whom it is used. */
export const bucketSchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https://') || isLoopback(new URL(url).hostname), { error: 'https:// beyond this machine' })
    .describe('where the object store is reached, like `https://s3.eu-central-1.amazonaws.com`'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, { error: 'not a region like eu-central-1' })
    .describe('region of the bucket, which its signatures name'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'not the name of a bucket' })
    .describe('its name'),
  prefix: z
    .string()
    .regex(/^(\w[\w.-]{0,99}\/){0,8}$/, { error: 'not a path like securegate/log/, which ends with /' })
    .default('securegate-log/')
    .describe('beginning of the names of all that is put there; ends with `/`'),
  pathStyle: z.boolean().default(true).describe('the bucket stands in the path of a request; `false`: before the name of the host'),
  credentials: secretSourceSchema.describe(
    'file (`file`, mode 0600), or credential of systemd (`credential`), with `{"accessKeyId":…,"secretAccessKey":…}`; it is read anew each time, so that keys can be exchanged',
  ),
});
export type BucketConfig = z.output<typeof bucketSchema>;
