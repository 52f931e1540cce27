import { z } from 'zod';
import { isLoopback } from '../net/is-loopback.ts';

/** Whose access tokens count. */
export const issuerSchema = z.strictObject({
  issuer: z.string().min(1).max(500).describe('Name of the issuer, exactly as `iss` of its tokens says it.'),
  keysUrl: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https://') || isLoopback(new URL(url).hostname), { error: 'https:// beyond this machine' })
    .describe('Where its public keys are fetched, a JWK Set (`jwks_uri`); https://, or http:// on this machine.'),
  keysDays: z
    .number()
    .int()
    .min(0)
    .max(90)
    .default(7)
    .describe('How long the keys that were fetched last count while the issuer is out of reach, days.'),
});
export type IssuerConfig = z.output<typeof issuerSchema>;
