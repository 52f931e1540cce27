import { z } from 'zod';
import { hashSchema, logForkSchema, logTokenSchema } from '../../../shared/audit/log-tokens.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { keyChangesSchema } from '../../../shared/lease/key-change.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import { logWitnessSchema } from '../../fleet/witness/list-witnesses.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { EXAMPLE_KEY } from './example-key.ts';
import { orgParams } from './orgs.ts';

const entrySchema = z
  .strictObject({
    position: z.int(),
    at: z.iso.datetime(),
    request: z.string(),
    actor: z.string().nullable(),
    operation: z.string(),
    tenant: z.string().nullable(),
    target: z.string().nullable(),
    outcome: z.string().describe('`done`, or the code of the refusal.'),
    evidence: hashSchema
      .nullable()
      .describe("SHA-256 (base64url) of what it rests on: a line of the KMS's own audit, or what a box has signed."),
    leaf: z.int().min(0).describe('Its place in the log.'),
    loggedAt: z.iso.datetime().describe('When it got there.'),
    salt: z.string().describe('What its leaf was made with, beside all of this (base64url).'),
  })
  .meta({ id: 'AuditEntry' });

const entriesSchema = z.strictObject({ items: z.array(entrySchema) }).meta({
  id: 'AuditEntries',
  examples: [
    {
      items: [
        {
          position: 42,
          at: '2027-03-01T08:00:00.000Z',
          request: '7f9c24e8-3b12-4d6a-9c5e-2f1b8a7d6e30',
          actor: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
          operation: 'tenants.create',
          tenant: null,
          target: 'main-hall',
          outcome: 'done',
          evidence: null,
          leaf: 41,
          loggedAt: '2027-03-01T08:00:00.000Z',
          salt: 'q7yB0f2Zx1kq9m3tYw8nGfT4sD6hJ5lP0aVcXbEeRrU',
        },
      ],
    },
  ],
});

const HASH = 'XcnaeacGWaminVWctwHe2aKrnYI6rS9JYM_jcO_0YDK';
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';
const headSchema = z
  .strictObject({
    head: logTokenSchema.describe(
      'JWT (ES256, key by RFC 7638 in `kid`): `log`, `size`, `root` (RFC 6962, SHA-256, base64url) and `at`, milliseconds.',
    ),
    key: publicKeySchema.describe('By which it is signed. Compare it with one that you have from elsewhere.'),
    keyChanges: keyChangesSchema.describe(
      'Words of the KMS on changes of this key (JWT, ES256, each signed by the key before), the first one first: whoever has pinned an earlier key follows them.',
    ),
  })
  .meta({
    id: 'AuditHead',
    examples: [
      {
        head: TOKEN,
        key: EXAMPLE_KEY,
        keyChanges: [TOKEN],
      },
    ],
  });
const proofSchema = z
  .strictObject({ proof: z.array(hashSchema).describe('RFC 6962, from the leaves up.') })
  .meta({ id: 'AuditProof', examples: [{ proof: [HASH] }] });
const tileSchema = z.strictObject({ hashes: z.array(hashSchema).max(256) }).meta({ id: 'AuditTile', examples: [{ hashes: [HASH] }] });
const forksSchema = z.strictObject({ forks: z.array(logTokenSchema) }).meta({ id: 'AuditForks', examples: [{ forks: [TOKEN] }] });
const witnessesSchema = z.strictObject({ items: z.array(logWitnessSchema) }).meta({
  id: 'AuditWitnesses',
  examples: [{ items: logWitnessSchema.meta()?.examples as z.output<typeof logWitnessSchema>[] }],
});
const restoreSchema = z
  .strictObject({
    backupAt: z.iso
      .datetime()
      .describe('When the backup was made from which the control plane was restored: what it had logged later is lost.'),
  })
  .meta({ id: 'AuditRestore', examples: [{ backupAt: '2027-03-01T08:00:00.000Z' }] });
const forkSchema = logForkSchema.meta({
  id: 'AuditFork',
  examples: [{ log: '01KAMV8Z0000000000000000AB', of: '01KAMV8Z0000000000000000AA', size: 42, root: HASH, at: 1_795_000_000_000 }],
});

const copySchema = z
  .strictObject({
    copy: z
      .strictObject({
        bucket: z.string().describe('Where it is.'),
        log: ulidSchema,
        size: z.int().min(0).describe('Leaves under the newest head that is there.'),
        lag: z.int().min(0).describe('Entries of the log that are not there yet.'),
        copiedAt: z.iso.datetime().nullable().describe('When all of it was there the last time.'),
        problem: z.string().nullable().describe('Code of what keeps it from going on.'),
      })
      .nullable()
      .describe('Null where the configuration names no bucket.'),
  })
  .meta({
    id: 'AuditCopy',
    examples: [
      {
        copy: {
          bucket: 'https://s3.eu-central-1.amazonaws.com/acme-audit/securegate-log/',
          log: '01KAMV8Z0000000000000000AB',
          size: 42,
          lag: 0,
          copiedAt: '2027-03-01T08:00:00.000Z',
          problem: null,
        },
      },
    ],
  });

const listQuery = z.strictObject({
  before: z.coerce.number().int().min(1).optional().describe('Position of the last entry of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
const place = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const inclusionQuery = z.strictObject({ leaf: place, size: place.describe('Of the tree in which the leaf is: that of a head.') });
const consistencyQuery = z.strictObject({ from: place, to: place });
const tileParams = z.strictObject({ level: place.max(6), number: place });

export const addAuditRoutes: AddRoutes = (api, { audit, logTree, logHeads, logCopy, witnesses }) => {
  const tags = ['audit'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/audit',
    config: { operation: 'audit.read' },
    schema: {
      tags,
      params: orgParams,
      querystring: listQuery,
      response: { 200: entriesSchema },
    },
    handler: async ({ params, query }) => {
      const entries = await audit.list(params.org, query);
      const items = entries.map(({ org: _, at, actor, tenant, target, evidence, loggedAt, ...entry }) => ({
        ...entry,
        at: new Date(at).toISOString(),
        actor: actor || null,
        tenant: tenant || null,
        target: target || null,
        evidence: evidence || null,
        loggedAt: new Date(loggedAt).toISOString(),
      }));
      return { items };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/audit/witnesses',
    config: { operation: 'audit.list-witnesses' },
    schema: { tags, params: orgParams, response: { 200: witnessesSchema } },
    handler: async ({ params }) => ({ items: await witnesses(params.org) }),
  });

  api.route({
    method: 'GET',
    url: '/v1/audit/copy',
    config: { operation: 'audit.read-copy' },
    schema: { tags, response: { 200: copySchema } },
    handler: async () => {
      const copy = await logCopy();
      const at = copy?.copiedAt ?? null;
      return { copy: copy && { ...copy, copiedAt: at === null ? null : new Date(at).toISOString() } };
    },
  });

  // What follows is hashes and signatures, which say nothing of what was done: whoever wants to may watch the log.
  const open = { operation: 'open' } as const;
  api.route({
    method: 'GET',
    url: '/v1/audit/heads/latest',
    config: open,
    schema: { tags, summary: 'The newest signed head of the log', response: { 200: headSchema } },
    handler: async () => {
      const head = await logHeads.latest();
      const { key, changes } = await logHeads.keyOf(head);
      return { head, key, keyChanges: [...changes] };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/audit/forks',
    config: open,
    schema: {
      tags,
      summary: 'Declarations that the log was begun anew after a restore, the first one first',
      response: { 200: forksSchema },
    },
    handler: async () => ({ forks: await logHeads.forks() }),
  });

  api.route({
    method: 'GET',
    url: '/v1/audit/proofs/inclusion',
    config: open,
    schema: { tags, summary: 'Proof that a leaf is in the log', querystring: inclusionQuery, response: { 200: proofSchema } },
    handler: async ({ query: { leaf, size } }) => ({ proof: await logTree.inclusion(leaf, size) }),
  });

  api.route({
    method: 'GET',
    url: '/v1/audit/proofs/consistency',
    config: open,
    schema: {
      tags,
      summary: 'Proof that the log only grew between two sizes',
      querystring: consistencyQuery,
      response: { 200: proofSchema },
    },
    handler: async ({ query: { from, to } }) => ({ proof: await logTree.consistency(from, to) }),
  });

  api.route({
    method: 'GET',
    url: '/v1/audit/tiles/:level/:number',
    config: open,
    schema: {
      tags,
      summary: '256 hashes of the tree of the log, fewer in the last tile of a level; tiles of level 0 hold the leaves',
      params: tileParams,
      response: { 200: tileSchema },
    },
    handler: async ({ params }) => ({ hashes: await logTree.tile(params) }),
  });

  api.route({
    method: 'POST',
    url: '/v1/audit/forks',
    config: { operation: 'audit.declare-fork' },
    schema: { tags, body: restoreSchema, response: { 201: forkSchema } },
    handler: async ({ body }, reply) => reply.code(201).send(await logHeads.declareFork(Date.parse(body.backupAt))),
  });
};
