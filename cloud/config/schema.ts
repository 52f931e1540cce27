import { z } from 'zod';
import { isLoopback } from '../../shared/net/is-loopback.ts';

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
        tls: z.strictObject({ cert: path, key: path }).optional().describe('PEM files of the certificate chain and of its private key'),
        rateLimits: z
          .strictObject({
            perAddress: perMinute.default(1200).describe('requests a minute of one address'),
            perAccount: perMinute.default(600).describe('requests a minute of one account'),
            wrongTokens: perMinute.default(30).describe('tokens a minute of one address that do not count'),
          })
          .prefault({}),
      })
      .prefault({}),
    kms: z.strictObject({ socket: path.describe('Unix socket of the KMS') }),
    fleet: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').describe('address to listen on for boxes that enrol or renew their certificates'),
        port: z.int().min(0).max(65_535).default(8761).describe('0 takes any free one'),
        names: z
          .array(z.string().min(1).max(253))
          .min(1)
          .max(16)
          .default(['localhost', '127.0.0.1'])
          .describe('host names and addresses by which boxes reach the control plane: they stand in its certificate'),
        mqtt: z
          .url({ protocol: /^mqtts$/ })
          .optional()
          .describe('where boxes find the broker'),
        rateLimits: z
          .strictObject({
            perAddress: perMinute.default(600).describe('requests a minute of one address'),
            perBox: perMinute.default(30).describe('requests a minute of one box'),
            wrongTokens: perMinute.default(30).describe('enrolments a minute of one address that are refused'),
          })
          .prefault({}),
      })
      .optional()
      .describe('the server for boxes; without it none can enrol'),
    certificateDays: z
      .int()
      .min(1)
      .max(90)
      .default(14)
      .describe('life of the certificate of a box, which it renews after two thirds of it'),
  })
  .refine(({ api }) => api.tls !== undefined || isLoopback(api.host), {
    error: 'plain HTTP is served on loopback only: add a certificate or listen on 127.0.0.1',
    path: ['api', 'tls'],
  });
export type CloudConfig = z.output<typeof cloudConfigSchema>;
