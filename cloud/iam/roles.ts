/** Where a role is given: in the whole deployment, in one org, or in one tenant of it. */
export type Reach = 'platform' | 'org' | 'tenant';

/** Every role, and where it can be given. A role of an org holds in all its tenants. */
export const ROLES = {
  'platform:operator': { reach: ['platform'], title: 'runs the deployment; opens no key and sees no person' },
  'org:admin': { reach: ['org'], title: 'decides for an org: its tenants, people, boxes and keys' },
  'tenant:admin': { reach: ['org', 'tenant'], title: 'decides for a tenant: its people and its customers’ keys' },
  operator: { reach: ['org', 'tenant'], title: 'works with sightings and customers of a tenant' },
  reviewer: { reach: ['org', 'tenant'], title: 'judges alerts before anything follows from them' },
  technician: { reach: ['org', 'tenant'], title: 'installs and mends boxes; sees no person' },
  auditor: { reach: ['platform', 'org', 'tenant'], title: 'reads what was done, and changes nothing' },
  dpo: { reach: ['org', 'tenant'], title: 'data-protection officer: consents, erasures and their proofs' },
  customer: { reach: ['tenant'], title: 'a person whose face is enrolled: own consent and erasure' },
} as const satisfies Record<string, { reach: readonly Reach[]; title: string }>;

export type Role = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];
