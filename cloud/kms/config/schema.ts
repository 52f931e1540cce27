import { z } from 'zod';
import { secretSourceSchema } from '../../../shared/config/read-secret-file.ts';

const path = z.string().min(1);

/** Where a token is: the same for the KMS and for its security officer, each of whom has a PIN of his own. */
const token = {
  driver: z.literal('pkcs11').describe('an HSM; the fields that follow are its'),
  library: path.describe('PKCS#11 library of the HSM'),
  token: z.string().min(1).max(32).describe('label of the token'),
};

const perHour = (what: string, fallback: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(1_000_000).default(fallback).describe(`${what} an hour`);

/** Configuration of `securegate kms`. */
export const kmsConfigSchema = z
  .strictObject({
    dataDir: path.describe('folder of the KMS: its records and its audit lines'),
    socket: path.optional().describe('Unix socket; whoever may enter its folder may ask the KMS'),
    tls: z
      .strictObject({
        host: z.string().min(1).describe('address to listen on'),
        port: z.int().min(0).max(65_535).describe('0 takes any free one'),
        cert: path.describe('certificate of the KMS, with its chain (PEM)'),
        key: secretSourceSchema.describe('its key (PEM)'),
        clientCa: path.describe('authority that signs the certificates of those who may ask (PEM); not a public one'),
        clients: z.array(z.string().min(1)).min(1).describe('common names of those who may ask'),
      })
      .optional()
      .describe('TLS 1.3 with client certificates, beside the Unix socket or instead of it'),
    hsm: z
      .discriminatedUnion('driver', [
        z.strictObject({
          ...token,
          pin: secretSourceSchema.describe('user PIN; never that of the security officer'),
          sessions: z.int().min(1).max(64).default(4).describe('sessions with the HSM at most'),
          destroyHorizonDays: z.int().min(0).max(3650).describe('days after which a destroyed key is in no backup of the HSM any more'),
        }),
        z.strictObject({
          driver: z.literal('software').describe('no HSM; the fields that follow are its'),
          keystore: path.describe('folder of the sealed keys'),
          trustedKeys: path.describe('folder of the device keys that may receive tenant keys; better not writable for the KMS'),
          masterKey: secretSourceSchema.describe('32 random bytes, not in the folder of the keystore'),
        }),
      ])
      .describe('where the keys are'),
    eraseDeadlineDays: z
      .int()
      .min(1)
      .max(365)
      .default(30)
      .describe('days that an absent box has to move to a new epoch; then it has lost what it holds, and the old epoch can be destroyed'),
    limits: z
      .strictObject({
        exportsPerDevice: perHour('keys handed out to one device', 12),
        exportsPerTenant: perHour('keys handed out of one tenant', 600),
        epochsPerOrg: perHour('epochs of all tenants of one org', 60),
      })
      .prefault({}),
  })
  .refine(({ socket, tls }) => socket !== undefined || tls !== undefined, { error: 'nobody could ask: set `socket` or `tls`' });
export type KmsConfig = z.output<typeof kmsConfigSchema>;

/** Configuration of `securegate kms-trust`, kept where the KMS cannot read it. */
export const trustConfigSchema = z.discriminatedUnion('driver', [
  z.strictObject({ ...token, soPin: secretSourceSchema.describe('PIN of the security officer') }),
  z.strictObject({ driver: z.literal('software'), trustedKeys: path }),
]);
export type TrustConfig = z.output<typeof trustConfigSchema>;
