import { randomBytes, randomUUID } from 'node:crypto';
import { readConfig } from '../shared/config/read-config.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { AuditLog } from './audit/audit-log.ts';
import { cloudConfigSchema } from './config/schema.ts';
import { storeAddress } from './config/store-address.ts';
import { LocalIssuer } from './iam/local-issuer.ts';
import { ensureLocalOperator, LOCAL_OPERATOR } from './iam/local-operator.ts';
import { People } from './iam/people.ts';
import { openStore } from './store/open-store.ts';

/** A token, and where it is shown. */
export interface SignedToken {
  readonly token: string;
  /** Address of the API on this machine; null where its port is chosen at the start. */
  readonly url: string | null;
}

/**
 * Signs an access token for ten minutes, for whoever works on the machine of the control plane. The audit log tells it.
 * @param account whose token it is; without one, that of the operator on the machine
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `storage_failed`, `store_newer`, `principal_not_found` (none, or closed)
 */
export async function signToken(configFile: string, account: string = LOCAL_OPERATOR): Promise<SignedToken> {
  const { dataDir, api } = readConfig(configFile, cloudConfigSchema);
  const store = await openStore(storeAddress(dataDir, process.env));
  try {
    const now = Date.now();
    const people = new People(store.db, Date.now);
    await ensureLocalOperator(people);
    const found = await people.account(account);
    if (found === undefined) throw new SecureGateError('principal_not_found', 'There is no such account, or it is closed');
    const about = { operation: 'tokens.sign', org: found.org, tenant: '', target: account };
    const audit = new AuditLog({ db: store.db, now: Date.now, random: randomBytes });
    await audit.record({ at: now, request: randomUUID(), actor: LOCAL_OPERATOR, ...about, outcome: 'done', evidence: '' });
    const token = await LocalIssuer.open(dataDir).sign(account, found.org, now);
    return { token, url: api.port === 0 ? null : `${api.tls === undefined ? 'http' : 'https'}://${api.host}:${api.port}` };
  } finally {
    await store.close();
  }
}
