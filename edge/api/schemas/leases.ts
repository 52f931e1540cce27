import { z } from 'zod';
import { slugSchema } from '../../../shared/ids/ids.ts';
import { leaseAnswerSchema } from '../../../shared/lease/lease-answer.ts';
import { leaseClaimsSchema } from '../../../shared/lease/lease-token.ts';
import { VAULT_STATES } from '../../../shared/messages/events.ts';

export const leaseStatusSchema = z
  .strictObject({
    tenant: slugSchema,
    state: z.enum(VAULT_STATES),
    /** Error code of why the tenant is not open. */
    reason: z.string().nullable(),
    /** How the key is kept between leases: `memory`, `tpm` or `software`; null without a lease, as are the next three. */
    enforcement: leaseClaimsSchema.shape.enforcement.nullable(),
    epoch: leaseClaimsSchema.shape.epoch.nullable(),
    renewedAt: z.iso.datetime().nullable(),
    endsAt: z.iso.datetime().nullable(),
    /** Whether the box asks a KMS itself, or leases come on a stick alone. */
    comes: z.enum(['kms', 'stick']),
    /** Error code of why the last try to renew it failed. */
    failure: z.string().nullable(),
  })
  .meta({ id: 'Lease' });

const bytes = z.string().regex(/^[\w-]{1,4096}$/, { error: 'not base64url' });

/** What the KMS answered, as it stands. */
export const newLeaseSchema = z
  .strictObject({ ...leaseAnswerSchema.shape, encapsulated: bytes, sealed: bytes })
  .meta({ id: 'NewLease', examples: [{ encapsulated: 'mbYU', sealed: 'q2k0', oaepHash: 'sha256', lease: 'eyJh' }] });

/** A JWT that is of use to the KMS alone. */
export const leaseRequestSchema = z.strictObject({ request: z.string() }).meta({ id: 'LeaseRequest' });
