import { sql } from 'kysely';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { LogCopyJob } from './audit/copy/log-copy-job.ts';
import type { EmbeddedBroker } from './embedded-broker.ts';
import type { ExternalBroker } from './external-broker.ts';
import type { PartState } from './http/cloud-api.ts';
import type { KmsClient } from './kms/client.ts';
import type { Store } from './store/open-store.ts';

export interface NeededParts {
  readonly store: Pick<Store, 'db' | 'dialect'>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly broker: EmbeddedBroker | ExternalBroker | undefined;
  readonly logCopy: Pick<LogCopyJob, 'state'> | undefined;
}

/** How the parts are without which the control plane is not ready, and what is wrong with the copy of its log: that keeps it from nothing. */
export async function readiness({ store, kms, broker, logCopy }: NeededParts): Promise<PartState[]> {
  return [
    await stateOfStore(store),
    await stateOfKms(kms),
    ...(broker ? [stateOfBroker(broker)] : []),
    ...(logCopy ? [await stateOfLogCopy(logCopy)] : []),
  ];
}

async function stateOfStore({ db, dialect }: NeededParts['store']): Promise<PartState> {
  try {
    await sql`SELECT 1`.execute(db);
    return { part: 'database', ready: true, reason: null, what: dialect };
  } catch {
    return { part: 'database', ready: false, reason: 'storage_failed', what: dialect };
  }
}

async function stateOfKms(kms: NeededParts['kms']): Promise<PartState> {
  try {
    const { ready, reason, hsm } = await kms.call('status', {});
    return { part: 'kms', ready, reason, what: hsm };
  } catch (error) {
    return { part: 'kms', ready: false, reason: SecureGateError.from(error).code, what: null };
  }
}

function stateOfBroker({ courier: { problem } }: EmbeddedBroker | ExternalBroker): PartState {
  return { part: 'broker', ready: problem === null, reason: problem === null ? null : 'broker_unavailable', what: null };
}

async function stateOfLogCopy(logCopy: Pick<LogCopyJob, 'state'>): Promise<PartState> {
  const part = { part: 'log-copy', ready: true, what: null };
  try {
    return { ...part, reason: (await logCopy.state()).problem };
  } catch (error) {
    return { ...part, reason: SecureGateError.from(error, 'storage_failed').code };
  }
}
