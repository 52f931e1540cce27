import type { Generated } from 'kysely';
import type { DeviceState } from '../../shared/fleet/enrolment.ts';
import type { Enforcement } from '../../shared/lease/lease-token.ts';

/** How far the shred of a tenant is; shred-states.ts says what leads where. */
export type ShredState = 'requested' | 'approved' | 'frozen' | 'destroying' | 'telling' | 'done' | 'cancelling' | 'cancelled';

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
    state: 'making' | 'active' | 'shredded';
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
    /** SHA-256 of what it rests on, base64url; empty where it rests on nothing. */
    evidence: string;
    /** Its place in the log, when it got there, and what its leaf was made with (base64url). */
    leaf: number;
    logged_at: number;
    salt: string;
  };
  /** The log over the audit: one row. Whoever adds to it changes this row first, and is alone until he is done. */
  log: {
    /** ULID: a new one for each fork. */
    id: string;
    size: number;
    /** Time of its newest leaf or head: none is said that is before it. */
    at: number;
    /** Up to where the KMS's own audit is in it, bytes. */
    kms_offset: number;
  };
  /** The tree of the log: 43 characters (base64url) for each hash. */
  log_tiles: { level: number; number: number; hashes: string };
  /** What was signed of the log. */
  log_heads: { log: string; size: number; at: number; token: string };
  log_forks: { log: string; of: string; size: number; at: number; token: string };
  /** How far the copy of each log is that is kept where nobody can delete it. */
  log_copies: {
    /** Where that is: `https://store.example/bucket/prefix/`. */
    bucket: string;
    log: string;
    /** Of so many leaves all full tiles are there: a multiple of their width. */
    tiled: number;
    /** Of the newest head that is there with its tree; 0 before the first. */
    size: number;
    /** When it last was all there. */
    copied_at: number | null;
    /** Code of what keeps it from going on; empty where nothing does. */
    problem: string;
  };
  /** The newest head that each box has signed. */
  log_cosignatures: { device: string; org: string; log: string; size: number; at: number; token: string };
  devices: {
    id: string;
    org: string;
    name: string;
    state: DeviceState;
    /** SubjectPublicKeyInfo of its RSA key, base64url, and the SHA-256 of it. */
    wrap_key: string;
    wrap: string;
    /** Thumbprint (RFC 7638) of its signing key. */
    jkt: string;
    version: number;
    enrolled_at: number;
    /** Model set by which it should detect and recognise; null for its own. */
    models: string | null;
  };
  enrolment_tokens: {
    id: string;
    org: string;
    /** Of the one box that it is for; empty where the box says its name. */
    name: string;
    hash: string;
    made_by: string;
    created_at: number;
    expires_at: number;
    /** The box, and the hash of the key that it showed; empty until then. */
    used_by: string;
    used_key: string;
    used_at: number | null;
  };
  certificates: {
    serial: string;
    device: string;
    /** SHA-256 of its SubjectPublicKeyInfo. */
    key: string;
    not_after: number;
    denied_at: number | null;
  };
  authorities: {
    generation: number;
    /** PEM, signed by its own key. */
    certificate: string;
    /** PEM, the same key signed by the authority before; empty for the first. */
    crossed: string;
    /** Null for the one that issues. */
    trusted_until: number | null;
  };
  commands: {
    /** ULID. */
    id: string;
    org: string;
    device: string;
    kind: string;
    /** JSON. */
    body: string;
    urgent: number;
    state: 'QUEUED' | 'SENT' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'CANCELED';
    /** Code of why it is where it is; empty where all is well. */
    reason: string;
    /** The pair; both 0 until it is about to be sent, and for ever where it is urgent. */
    incarnation: number;
    sequence: number;
    /** The command as it is sent; empty until it is signed. */
    token: string;
    created_by: string;
    created_at: number;
    changed_at: number;
    /** 0: at once. */
    not_before: number;
    /** 0: never. */
    expires_at: number;
  };
  /** How far each box is; there is none of a box that has never said hello. */
  links: {
    device: string;
    /** Of its last hello. */
    session: string;
    seen_at: number;
    /** JSON of `keys` of its last hello. */
    keys: string;
    /** The last pair that was given. */
    incarnation: number;
    sequence: number;
    /** The highest pair of which the box has said something; both 0 before. */
    told_incarnation: number;
    told_sequence: number;
    /** Since it last said something. */
    tries: number;
    /** When it is time to look what is to be sent. Whoever changes it from what he saw is the one who sends. */
    next_try_at: number;
  };
  receipts: {
    /** ULID. */
    id: string;
    /** SHA-256 of the token, base64url. */
    digest: string;
    org: string;
    device: string;
    command: string;
    state: string;
    reason: string;
    /** What the box signed. */
    token: string;
    at: number;
  };
  cameras: {
    id: string;
    org: string;
    tenant: string;
    device: string;
    slug: string;
    /** JSON of `cameraFieldsSchema`, without the slug. */
    settings: string;
    version: number;
    created_at: number;
  };
  /** What each box should be, and how it says that it is; there is none of a box that has never said so. */
  box_states: {
    device: string;
    org: string;
    /** Of this version of the desired state (ULID); empty where it is to get another one. */
    id: string;
    /** The pair of this version. */
    incarnation: number;
    sequence: number;
    /** JSON of `desiredStateSchema`; empty before the first version. */
    desired: string;
    changed_at: number;
    /** Code of why it is not sent; empty where all is well. */
    problem: string;
    /** Id and JSON of the last report of the box. */
    report: string;
    reported: string;
    reported_at: number;
    /** Since it was last woken. */
    tries: number;
    /** When it is time to look what the box should be. Whoever changes it from what he saw is the one who looks. */
    next_try_at: number;
  };
  /** Ids of sightings that count already. */
  counted_sightings: { device: string; id: string; ended_at: number };
  /** Who was seen is not in it: no id of a customer leaves the box. */
  sightings: {
    device: string;
    id: string;
    org: string;
    tenant: string;
    camera: string;
    begun_at: number;
    ended_at: number;
    known: number;
    /** Whole tenths of the similarity. */
    confidence: number | null;
  };
  /** How many there were on a day (UTC, `2026-11-22`). */
  sighting_days: { org: string; tenant: string; day: string; camera: string; known: number; sightings: number };
  /** What each run of a vault has counted on a day (UTC), all of it so far. */
  usage_runs: { org: string; tenant: string; day: string; device: string; run: string; counter: string; amount: number };
  /** The newest report of each box (JSON of `telemetrySchema`), and when it was heard. */
  telemetry: { device: string; org: string; at: number; report: string };
  shreds: {
    /** ULID. */
    id: string;
    org: string;
    tenant: string;
    state: ShredState;
    /** Code of what keeps it from going on; empty where nothing does. */
    reason: string;
    requested_by: string;
    requested_at: number;
    approvals_needed: number;
    /** How long it stays frozen before its destruction begins. */
    grace_ms: number;
    /** Since when the KMS gives no key, by its clock. */
    frozen_at: number | null;
    /** Until when it can be cancelled, by the clock of the control plane. */
    destroys_from: number | null;
    destroyed_at: number | null;
    /** When no backup of the HSM has its keys any more; null where nobody can promise that. */
    unrecoverable_from: number | null;
    /** When it was done or cancelled. */
    settled_at: number | null;
    version: number;
  };
  shred_approvals: { shred: string; account: string; at: number };
  /** Boxes that could ever get the tenant's keys, each with the command that it was told last. */
  shred_boxes: { shred: string; device: string; enforcement: Enforcement; lease_ends_at: number; command: string };
  erasures: {
    /** ULID. */
    id: string;
    org: string;
    tenant: string;
    /** JSON list of their ids, which say nothing of them. */
    customers: string;
    requested_by: string;
    requested_at: number;
    /** When the last box had done its part. */
    settled_at: number | null;
  };
  /** What the recovery keys of an org have signed (JSON of `signedRecoverySchema`), for ever: by it, auditors follow the log from one HSM to the next. */
  recoveries: { org: string; id: string; drafted_at: number; ends_at: number; signed: string };
  erasure_boxes: { erasure: string; device: string; command: string };
  /** Which process does a job, and when another may take it over. */
  job_leases: { job: string; owner: string; ends_at: number };
  idempotency: { request: string; content: string; result: string; settled: number; expires_at: number };
}
