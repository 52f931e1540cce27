import { z } from 'zod';
import { slugSchema } from '../../../shared/ids/ids.ts';
import { leaseAnswerSchema } from '../../../shared/lease/lease-answer.ts';
import { leaseClaimsSchema } from '../../../shared/lease/lease-token.ts';
import { signedRecoverySchema } from '../../../shared/lease/recovery.ts';
import { stickRequestSchema } from '../../../shared/lease/stick.ts';
import { VAULT_STATES } from '../../../shared/messages/events.ts';

export const leaseStatusSchema = z
  .strictObject({
    tenant: slugSchema,
    state: z.enum(VAULT_STATES),
    /** Error code of why the tenant is not open. */
    reason: z.string().nullable(),
    /** How the key is kept between leases: `memory`, `tpm` or `software`; null without a lease, as are the next four. */
    enforcement: leaseClaimsSchema.shape.enforcement.nullable(),
    epoch: leaseClaimsSchema.shape.epoch.nullable(),
    /** The epoch in which the KMS wants the tenant to be. */
    newest: leaseClaimsSchema.shape.newest.nullable(),
    renewedAt: z.iso.datetime().nullable(),
    endsAt: z.iso.datetime().nullable(),
    /** Whether the box asks a KMS itself, or leases come on a stick alone. */
    comes: z.enum(['kms', 'stick']),
    /** Error code of why the last try to renew it failed. */
    failure: z.string().nullable(),
  })
  .meta({ id: 'Lease' });

const bytes = z.string().regex(/^[\w-]{1,4096}$/, { error: 'not base64url' });

const answer = z.strictObject({ ...leaseAnswerSchema.shape, encapsulated: bytes, sealed: bytes });

/** What the KMS answered, as it stands. */
export const newLeaseSchema = z
  .strictObject({ answers: z.array(answer).min(1).max(2) })
  .meta({ id: 'NewLease', examples: [{ answers: [{ encapsulated: 'mbYU', sealed: 'q2k0', oaepHash: 'sha256', lease: 'eyJh' }] }] });

/** What the recovery keys of the org have signed. */
export const keyRecoverySchema = signedRecoverySchema.meta({
  id: 'KeyRecovery',
  examples: [{ payload: 'eyJvcmciOiJhY21lIn0', signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2ln' }] }],
});
/** A JWT that is of use to the HSM alone. */
export const handOverSchema = z.strictObject({ token: z.string() }).meta({ id: 'HandOver' });

/** JWTs that are of use to the KMS alone. */
export const leaseRequestSchema = stickRequestSchema.meta({ id: 'LeaseRequest' });
