import { z } from 'zod';
import { hashSchema, logTokenSchema } from '../../shared/audit/log-tokens.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { adminSetSchema } from '../../shared/lease/admin-set.ts';
import { keyChangesSchema } from '../../shared/lease/key-change.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { signedRecoverySchema } from '../../shared/lease/recovery.ts';

/** An entry as the API tells it. */
const entrySchema = z.looseObject({
  at: z.iso.datetime(),
  request: z.string(),
  actor: z.string().nullable(),
  operation: z.string(),
  tenant: z.string().nullable(),
  target: z.string().nullable(),
  outcome: z.string(),
  evidence: z.string().nullable(),
  leaf: z.int().min(0),
  loggedAt: z.iso.datetime(),
  salt: z.string(),
});

/** All that is needed to check what a control plane says was done in an org, without asking it. */
export const logExportSchema = z.strictObject({
  version: z.literal(1),
  org: slugSchema,
  /** By which the control plane signs; whoever checks compares it with one that he has from elsewhere. */
  key: publicKeySchema,
  /** How that key has come after earlier ones (shared/lease/key-change.ts). */
  keyChanges: keyChangesSchema.default([]),
  /** What the recovery keys of the org have signed after the loss of an HSM, the first one first. */
  recoveries: z.array(signedRecoverySchema).default([]),
  /** The keys of the org, where they have signed that; whoever checks compares them. */
  orgKeys: adminSetSchema.nullable().default(null),
  head: logTokenSchema,
  forks: z.array(logTokenSchema),
  /** Hashes of all leaves of the log. */
  leaves: z.array(hashSchema),
  /** Those of the org that are under the head, in the order of the log. */
  entries: z.array(entrySchema),
  /** What boxes of the org have signed of the log. */
  cosignatures: z.array(z.string().max(8192)),
});
export type LogExport = z.output<typeof logExportSchema>;
export type ExportedEntry = LogExport['entries'][number];
