import type { HttpApi } from '../../shared/http/http-api.ts';
import type { Idempotency } from '../../shared/http/idempotency.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { LogCopyState } from '../audit/copy/log-copy-job.ts';
import type { LogHeads } from '../audit/log-heads.ts';
import type { LogTree } from '../audit/log-tree.ts';
import type { DesiredStates } from '../fleet/desired/desired-states.ts';
import type { Devices } from '../fleet/devices/devices.ts';
import type { EnrolmentTokens } from '../fleet/enrolment/enrolment-tokens.ts';
import type { Intake } from '../fleet/intake/intake.ts';
import type { Ledger } from '../fleet/ledger/ledger.ts';
import type { Authorities } from '../fleet/pki/authorities.ts';
import type { Recoveries } from '../fleet/recoveries.ts';
import type { LogWitness } from '../fleet/witness/list-witnesses.ts';
import type { OperationName } from '../iam/operations.ts';
import type { Account, People } from '../iam/people.ts';
import type { KmsClient } from '../kms/client.ts';
import type { DeletionReceipts } from '../shred/deletion-receipts.ts';
import type { Erasures } from '../shred/erasures.ts';
import type { Shreds } from '../shred/shreds.ts';
import type { Orgs } from '../tenants/orgs.ts';
import type { Tenants } from '../tenants/tenants.ts';

/** Whether a part of the control plane works. */
export interface PartState {
  readonly part: string;
  readonly ready: boolean;
  /** Code of what is wrong. */
  readonly reason: string | null;
  /** What it really is, where that matters. */
  readonly what: string | null;
}

/** What the routes work with. */
export interface RouteContext {
  readonly orgs: Orgs;
  readonly tenants: Tenants;
  readonly people: People;
  readonly audit: AuditLog;
  readonly logTree: LogTree;
  readonly logHeads: LogHeads;
  /** Null where it is copied nowhere. */
  readonly logCopy: () => Promise<LogCopyState | null>;
  readonly witnesses: (org: string) => Promise<LogWitness[]>;
  readonly devices: Devices;
  readonly enrolmentTokens: EnrolmentTokens;
  readonly authorities: Authorities;
  readonly recoveries: Recoveries;
  readonly ledger: Pick<Ledger, 'commands' | 'receipts'>;
  readonly desired: Pick<DesiredStates, 'cameras' | 'get' | 'wake' | 'wakeAll'>;
  readonly intake: Pick<Intake, 'sightingCounts' | 'usage' | 'telemetries'>;
  readonly shreds: Shreds;
  readonly erasures: Erasures;
  readonly deletionReceipts: DeletionReceipts;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly idempotency: Idempotency;
  readonly readiness: () => Promise<PartState[]>;
}

export type AddRoutes = (api: HttpApi, context: RouteContext) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Row of the table of operations; every route of the control plane has one, or is `open` to anybody. */
    operation?: OperationName | 'open';
    /** The HSM works for it, which takes far longer than the rest. */
    usesHsm?: true;
  }
  interface FastifyRequest {
    /** Who asks; undefined on open routes alone. */
    account: Account | undefined;
  }
}
