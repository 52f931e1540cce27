import { z } from 'zod';
import { ownHostnamesSchema, tlsSchema, trustedProxiesSchema } from '../../shared/http/listen-config.ts';
import { isLoopback } from '../../shared/net/is-loopback.ts';
import { issuerSchema } from '../../shared/tokens/issuer-config.ts';

const path = z.string().min(1);
const perMinute = z.int().min(1).max(1_000_000);

/** Configuration of `securegate cloud run`. The address of a Postgres, which holds a password, stands in DATABASE_URL. */
export const cloudConfigSchema = z
  .strictObject({
    dataDir: path.describe('folder of the control plane: its key for local tokens, and its database unless DATABASE_URL names a Postgres'),
    api: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').describe('address to listen on; anything but loopback needs `tls`'),
        port: z.int().min(0).max(65_535).default(8760).describe('0 takes any free one'),
        tls: tlsSchema.optional().describe('certificates; without them only loopback is served, by plain HTTP'),
        hostnames: ownHostnamesSchema,
        trustedProxies: trustedProxiesSchema,
        rateLimits: z
          .strictObject({
            perAddress: perMinute.default(1200).describe('requests a minute of one address'),
            perAccount: perMinute.default(600).describe('requests a minute of one account'),
            wrongTokens: perMinute.default(30).describe('tokens a minute of one address that do not count'),
          })
          .prefault({}),
      })
      .prefault({}),
    issuer: issuerSchema.optional().describe('whose access tokens count besides those that this machine signs itself'),
    kms: z.strictObject({ socket: path.describe('Unix socket of the KMS') }),
  })
  .refine(({ api }) => api.tls !== undefined || isLoopback(api.host), {
    error: 'plain HTTP is served on loopback only: add a certificate or listen on 127.0.0.1',
    path: ['api', 'tls'],
  });
export type CloudConfig = z.output<typeof cloudConfigSchema>;
