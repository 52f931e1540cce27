import { z } from 'zod';
import { secretSourceSchema } from '../../shared/config/read-secret-file.ts';
import { ownHostnamesSchema, tlsSchema, trustedProxiesSchema } from '../../shared/http/listen-config.ts';
import { isLoopback } from '../../shared/net/is-loopback.ts';
import { bucketSchema } from '../../shared/s3/bucket-config.ts';
import { issuerSchema } from '../../shared/tokens/issuer-config.ts';

const path = z.string().min(1);
/** Scheme, host and port, and no path. */
const ORIGIN = /^https?:\/\/[^/\s*]+$/;
const mqtts = z.url({ protocol: /^mqtts$/ });
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
        // Counted by each process for itself: of several, the whole lets through as many times more.
        rateLimits: z
          .strictObject({
            perAddress: perMinute.default(1200).describe('requests a minute of one address'),
            perAccount: perMinute.default(600).describe('requests a minute of one account'),
            wrongTokens: perMinute.default(30).describe('tokens a minute of one address that do not count'),
            perOrg: perMinute.default(3000).describe('requests a minute of all accounts of one org'),
            keyOperations: perMinute.default(60).describe('requests a minute of one org that the HSM works for'),
          })
          .prefault({}),
        corsOrigins: z
          .array(z.string().regex(ORIGIN, { error: 'not an origin like https://console.example' }))
          .max(16)
          .default([])
          .describe('origins whose web pages may ask the API, like `https://console.example`'),
        pressure: z
          .strictObject({
            eventLoopDelayMs: z
              .int()
              .min(10)
              .max(60_000)
              .default(1000)
              .describe('mean delay of the process from which on requests are turned away (503)'),
            heapMiB: z
              .int()
              .min(64)
              .max(1_048_576)
              .optional()
              .describe('JavaScript memory from which on they are; nine tenths of what Node allows unless given'),
          })
          .prefault({}),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        token: secretSourceSchema.describe(
          'file (`file`, mode 0600), or credential of systemd (`credential`), with the bearer token for `/metrics`',
        ),
      })
      .optional()
      .describe('without it, `/metrics` answers programs on this machine alone; needed where a proxy on it passes requests on'),
    issuer: issuerSchema.optional().describe('whose access tokens count besides those that this machine signs itself'),
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
        broker: z
          .union([
            z.strictObject({
              host: z.string().min(1).default('127.0.0.1').describe('address to listen on for boxes that are enrolled'),
              port: z.int().min(0).max(65_535).default(8883).describe('0 takes any free one'),
            }),
            z.strictObject({
              url: mqtts.describe('a broker that stands apart, by a name that its certificate has'),
              name: z
                .string()
                .regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'not a name like control-plane-2' })
                .default('control-plane')
                .describe('of this process at that broker: no two have the same'),
            }),
          ])
          .optional()
          .describe(
            'the MQTT broker: of this process (`host`, `port`), or one that stands apart (`url`); without it boxes enrol, and are given no commands',
          ),
        mqtt: mqtts.optional().describe('where boxes find the broker, if not at its `url`, or at the first of `names` and its port'),
        rateLimits: z
          .strictObject({
            perAddress: perMinute.default(600).describe('requests a minute of one address'),
            perBox: perMinute
              .default(120)
              .describe('requests a minute of one box; one that MQTT does not reach sends its messages by them'),
            wrongTokens: perMinute.default(30).describe('enrolments a minute of one address that are refused'),
          })
          .prefault({}),
      })
      .optional()
      .describe('the server for boxes; without it none can enrol'),
    audit: z
      .strictObject({
        s3: bucketSchema
          .extend({
            retentionDays: z
              .int()
              .min(1)
              .max(36_500)
              .default(3650)
              .describe('for how long nobody can change or remove what is put there; it cannot be shortened later'),
          })
          .optional()
          .describe('a bucket with Object Lock to which the hashes and the signed heads of the audit log are copied'),
      })
      .prefault({}),
    retention: z
      .strictObject({
        // As long as a box can be away and come back by its own means: what it says of a command then still finds it.
        commandDays: z
          .int()
          .min(100)
          .max(36_500)
          .default(400)
          .describe(
            'how long commands that are settled, what boxes signed of them, and enrolment tokens are kept; what belongs to a shred or an erasure is kept for ever, and so is the audit log',
          ),
        countDays: z
          .int()
          .min(100)
          .max(36_500)
          .default(3660)
          .describe('how long it is known how many sightings there were on a day, and what was used'),
      })
      .prefault({}),
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
