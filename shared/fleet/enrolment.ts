import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { adminSetSchema, signedSetSchema } from '../lease/admin-set.ts';
import { keyChangesSchema } from '../lease/key-change.ts';
import { publicKeySchema } from '../lease/public-key.ts';
import { signedRecoverySchema } from '../lease/recovery.ts';

export const DEVICE_STATES = ['awaiting-approval', 'active', 'denied', 'left'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

const pem = z.string().regex(/^-----BEGIN CERTIFICATE-----\n/);

/** What the control plane tells a box that shows its certificate. */
export const linkSchema = z.strictObject({
  device: idSchema('box'),
  org: slugSchema,
  name: z.string(),
  state: z.enum(DEVICE_STATES),
  /** Where the broker is; null while there is none. */
  mqtt: z.url().nullable(),
  /** By which commands are signed. */
  commandKeys: z.array(publicKeySchema).min(1),
  /** By which leases are signed. */
  leaseKeys: z.array(publicKeySchema).min(1),
  /** By which heads of the log are signed; none is known to a box that enrolled before there was one, until its certificate is renewed. */
  auditKeys: z.array(publicKeySchema).default([]),
  /** The KMS's words on changes of these keys. */
  keyChanges: keyChangesSchema.default([]),
  /** The admin keys of its org, every set as it was signed, the first one first: the box follows them by itself. */
  admins: z.array(signedSetSchema).default([]),
});
export type Link = z.output<typeof linkSchema>;

/**
 * What an enrolled box keeps, beside the key of its certificate. Of each kind of keys the one that counts stands first, and then those that counted before: what
 * they signed then still holds.
 */
export const enrolmentSchema = linkSchema.omit({ admins: true }).extend({
  version: z.literal(1),
  /** Where it enrolled, and renews its certificate. */
  cloud: z.url(),
  /** Its certificate, PEM. */
  certificate: pem,
  /** Authorities whose certificates it believes, PEM. */
  authorities: z.array(pem).min(1),
  /** Of the keys by which it gets its tenants' keys (device-fingerprint.ts). */
  fingerprint: z.string(),
  /** The words by which the box came to the keys that it was not told when it enrolled, the first one first; it kept each because it held. */
  keyChanges: z.array(z.string()).default([]),
  /** The recoveries by which it came to believe another HSM, as they came. */
  recoveries: z.array(signedRecoverySchema).default([]),
  /** The admin keys of its org that it has pinned; null before it was told of any. */
  admins: adminSetSchema.nullable().default(null),
});
export type Enrolment = z.output<typeof enrolmentSchema>;
