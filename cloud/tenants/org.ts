import { z } from 'zod';
import { hostnameSchema } from '../../shared/http/hostname.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { nameSchema } from '../../shared/ids/name-schema.ts';
import { DEFAULT_LEASE_SECONDS, ENFORCEMENTS, MOST_LEASE_SECONDS } from '../../shared/lease/lease-token.ts';
import { mergePatchOf } from './merge-patch.ts';

/** What an org can have or not have. What is off answers 403 `feature_disabled`. */
export const FEATURES = ['service-accounts', 'video-api', 'weapons', 'enhancement', 'remote-access', 'escrow', 'signing'] as const;
export type Feature = (typeof FEATURES)[number];

export const PLANS = ['trial', 'standard', 'enterprise'] as const;

const colour = z.string().regex(/^#[0-9a-f]{6}$/, { error: 'not a colour like #1a2b3c' });
export const brandingSchema = z
  .strictObject({
    logo: z
      .url({ protocol: /^https$/ })
      .max(500)
      .optional()
      .describe('Address of the logo.'),
    colours: z.strictObject({ primary: colour, accent: colour.optional() }).optional(),
    domains: z.array(hostnameSchema).max(16).default([]).describe('Domains under which the org shows itself.'),
  })
  .meta({ id: 'Branding' });

export const keyPolicySchema = z
  .strictObject({
    leaseSeconds: z
      .int()
      .min(60)
      .max(MOST_LEASE_SECONDS)
      .default(DEFAULT_LEASE_SECONDS)
      .describe('How long a box works without a word from here. It is also how long a shred can take to reach a box that is offline.'),
    enforcement: z.enum(ENFORCEMENTS).default('memory').describe('How a box holds a tenant key between leases.'),
    epochMoveHours: z.int().min(1).max(168).default(24).describe('Longest time from an erasure to the move that makes it unrecoverable.'),
    eraseDeadlineDays: z.int().min(1).max(90).default(30).describe('How long an absent box holds an old epoch open.'),
  })
  .meta({ id: 'KeyPolicy' });

/** What can be said of an org. Defaults belong to its making alone: a change leaves what it does not name. */
export const orgFieldsSchema = z.strictObject({
  name: nameSchema,
  branding: brandingSchema,
  features: z.array(z.enum(FEATURES)).max(FEATURES.length),
  plan: z.enum(PLANS),
  jurisdiction: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'not a country of ISO 3166-1, like CH' })
    .describe('Country whose law counts.'),
  keyPolicy: keyPolicySchema,
});
export type OrgFields = z.output<typeof orgFieldsSchema>;

export const orgPatchSchema = orgFieldsSchema
  .extend({ branding: mergePatchOf(brandingSchema), keyPolicy: mergePatchOf(keyPolicySchema) })
  .partial();
export type OrgPatch = z.output<typeof orgPatchSchema>;

const { branding, features, plan, keyPolicy } = orgFieldsSchema.shape;
export const newOrgSchema = orgFieldsSchema
  .extend({
    id: slugSchema,
    branding: branding.prefault({}),
    features: features.default([]),
    plan: plan.default('trial'),
    keyPolicy: keyPolicy.prefault({}),
  })
  .meta({ id: 'NewOrg', examples: [{ id: 'acme', name: 'Acme Halls', jurisdiction: 'CH' }] });

export const orgSchema = orgFieldsSchema.extend({ id: slugSchema, version: z.int(), createdAt: z.iso.datetime() }).meta({
  id: 'Org',
  examples: [
    {
      id: 'acme',
      name: 'Acme Halls',
      branding: { colours: { primary: '#1a2b3c' }, domains: ['acme.example'] },
      features: ['service-accounts'],
      plan: 'standard',
      jurisdiction: 'CH',
      keyPolicy: { leaseSeconds: 86_400, enforcement: 'memory', epochMoveHours: 24, eraseDeadlineDays: 30 },
      version: 1,
      createdAt: '2027-03-01T08:00:00.000Z',
    },
  ],
});
export type Org = z.output<typeof orgSchema>;

export const policiesSchema = z
  .strictObject({
    sightingsDays: z.int().min(1).max(3650).default(30).describe('Days for which sightings are kept.'),
    unmatchedTtlMs: z.int().min(1000).max(60_000).default(10_000).describe('How long a face that matches nobody stays in memory.'),
    matchThreshold: z.number().min(0).max(1).optional().describe('Lowest similarity that names a person.'),
    twoPersonRule: z
      .boolean()
      .default(true)
      .describe('A shred of this tenant takes two approvers. It can be turned on later, and never off.'),
  })
  .meta({ id: 'Policies' });

export const tenantFieldsSchema = z.strictObject({
  name: nameSchema,
  hostnames: z.array(hostnameSchema).max(16),
  policies: policiesSchema,
});
export type TenantFields = z.output<typeof tenantFieldsSchema>;

export const tenantPatchSchema = tenantFieldsSchema
  .extend({ policies: mergePatchOf(policiesSchema) })
  .partial()
  .meta({ id: 'TenantPatch', examples: [{ name: 'Great hall', policies: { sightingsDays: 7, matchThreshold: null } }] });
export type TenantPatch = z.output<typeof tenantPatchSchema>;

const { hostnames, policies } = tenantFieldsSchema.shape;
export const newTenantSchema = tenantFieldsSchema
  .extend({ id: slugSchema, hostnames: hostnames.default([]), policies: policies.prefault({}) })
  .meta({ id: 'NewTenant', examples: [{ id: 'main-hall', name: 'Main hall', hostnames: ['hall.acme.example'] }] });

export const tenantSchema = tenantFieldsSchema
  .extend({
    org: slugSchema,
    id: slugSchema,
    state: z
      .enum(['making', 'active', 'shredded'])
      .describe('`making` until its key is there; `shredded` when its keys are destroyed: its id is never used again.'),
    version: z.int(),
    createdAt: z.iso.datetime(),
  })
  .meta({
    id: 'Tenant',
    examples: [
      {
        org: 'acme',
        id: 'main-hall',
        name: 'Main hall',
        hostnames: ['hall.acme.example'],
        policies: { sightingsDays: 30, unmatchedTtlMs: 10_000, twoPersonRule: true },
        state: 'active',
        version: 1,
        createdAt: '2027-03-01T08:00:00.000Z',
      },
    ],
  });
export type Tenant = z.output<typeof tenantSchema>;
