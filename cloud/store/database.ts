import type { Generated } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

/**
 * The tables of the control plane, the same in SQLite and Postgres. Times are milliseconds since the Unix epoch; JSON is text; an
 * empty `org` or `tenant` stands for all of them, since a primary key knows no null.
 */
export interface Database {
  orgs: {
    id: string;
    name: string;
    /** JSON of `brandingSchema`. */
    branding: string;
    /** JSON list of the features that are on. */
    features: string;
    plan: string;
    jurisdiction: string;
    /** JSON of `keyPolicySchema`. */
    key_policy: string;
    version: number;
    created_at: number;
  };
  tenants: {
    org: string;
    id: string;
    name: string;
    /** JSON of `policiesSchema`. */
    policies: string;
    /** `making` until the KMS has its key. */
    state: 'making' | 'active';
    version: number;
    created_at: number;
  };
  hostnames: { hostname: string; org: string; tenant: string };
  principals: {
    id: string;
    kind: 'user' | 'service';
    /** Empty for those of the platform. */
    org: string;
    name: string;
    /** Lower case; empty for services. */
    email: string;
    active: number;
    version: number;
    created_at: number;
  };
  grants: { principal: string; role: string; org: string; tenant: string };
  audit: {
    position: Generated<number>;
    at: number;
    request: string;
    actor: string;
    operation: string;
    org: string;
    tenant: string;
    /** Id of what it was done to. */
    target: string;
    /** `done`, or the code of the refusal. */
    outcome: string;
  };
  /** Which process does a job, and when another may take it over. */
  job_leases: { job: string; owner: string; ends_at: number };
  idempotency: {
    request: string;
    content: string;
    result: string;
    settled: number;
    expires_at: number;
    /** Process that is about the request. */
    owner: string;
    /** When another process may take it over. */
    owned_until: number;
  };
}
